# The two functions that every folder uses, and the warnings.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

add_library(salver_warnings INTERFACE)
target_compile_options(salver_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wvla
  $<$<COMPILE_LANGUAGE:C>:-Wconversion -Wstrict-prototypes -Wmissing-prototypes>
  $<$<C_COMPILER_ID:Clang>:-Wthread-safety -Wno-gnu-statement-expression>
  $<$<BOOL:${SALVER_WERROR}>:-Werror>)

# salver_library(NAME SOURCES a.c ... DEPS salver_base ... [LIBS PkgConfig::X ...])
# One static target per folder of src/, linked only to what the layer table allows.
function(salver_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/gen)
  target_compile_definitions(${name} PUBLIC _GNU_SOURCE)
  target_link_libraries(${name} PUBLIC ${arg_DEPS} Threads::Threads PRIVATE salver_warnings ${arg_LIBS})
endfunction()

# salver_test(NAME SOURCES test_a.c ... DEPS salver_db ...): a CTest of the house harness.
function(salver_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE salver_harness ${arg_DEPS} salver_warnings ${arg_LIBS})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()
