# cmake -DOUT=ui_assets.c -DDIR=ui -DFILES=index.html,app.js -P embed.cmake
# Writes a C file with the bytes of each file, its type and a tag of its content.
set(types_html "text/html; charset=utf-8")
set(types_js "text/javascript; charset=utf-8")
set(types_css "text/css; charset=utf-8")
set(types_svg "image/svg+xml")
set(types_webmanifest "application/manifest+json")

set(arrays "")
set(rows "")
set(i 0)
string(REPLACE "," ";" files "${FILES}")
foreach(name ${files})
  file(READ ${DIR}/${name} hex HEX)
  file(SHA256 ${DIR}/${name} sum)
  string(SUBSTRING ${sum} 0 16 tag)
  string(REGEX MATCH "[a-z]+$" ext ${name})
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "((0x..,){16})" "\\1\n" bytes "${bytes}")
  string(APPEND arrays "static const unsigned char asset_${i}[] = {\n${bytes}\n};\n")
  string(APPEND rows
    "\t{ \"/ui/${name}\", \"${types_${ext}}\", \"\\\"${tag}\\\"\", asset_${i}, sizeof asset_${i} },\n")
  math(EXPR i "${i} + 1")
endforeach()
file(WRITE ${OUT} "/* Made by cmake/embed.cmake. */
#include \"web/ui.h\"

${arrays}
const struct ui_asset ui_assets[] = {
${rows}};
const size_t ui_assets_n = sizeof ui_assets / sizeof ui_assets[0];
")
