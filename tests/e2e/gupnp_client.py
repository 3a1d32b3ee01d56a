# SPDX-License-Identifier: MIT
"""A control point on GUPnP, the strict library of GNOME: /usr/bin/python3 gupnp_client.py INTERFACE

Finds a MediaServer, walks three levels of it, subscribes, and follows its events. Writes one JSON
object per line: {"found": ...}, {"container": ...} for each, {"subscribed": ...}, {"event": ...}.
Ends when its standard input does. Needs the system's Python, for which Debian packages GObject.
"""
import json
import sys

import gi

gi.require_version("GUPnP", "1.6")
gi.require_version("GUPnPAV", "1.0")
gi.require_version("GSSDP", "1.6")
from gi.repository import GLib, GObject, GSSDP, GUPnP, GUPnPAV  # noqa: E402 (versions come first)

MEDIA_SERVER = "urn:schemas-upnp-org:device:MediaServer:1"
CONTENT_DIRECTORY = "urn:schemas-upnp-org:service:ContentDirectory"
LEVELS = 3


def say(**what):
    print(json.dumps(what), flush=True)


def browse(service, container):
    """(DIDL text, NumberReturned, TotalMatches, UpdateID)"""
    action = GUPnP.ServiceProxyAction.new_from_list(
        "Browse",
        ["ObjectID", "BrowseFlag", "Filter", "StartingIndex", "RequestedCount", "SortCriteria"],
        [container, "BrowseDirectChildren", "*", 0, 0, ""])
    service.call_action(action, None)
    _, values = action.get_result_list(
        ["Result", "NumberReturned", "TotalMatches", "UpdateID"],
        [GObject.TYPE_STRING, GObject.TYPE_UINT, GObject.TYPE_UINT, GObject.TYPE_UINT])
    return values


def parse(didl):
    """What GUPnP's own reader sees in the DIDL."""
    containers, items = [], []
    parser = GUPnPAV.DIDLLiteParser.new()
    parser.connect("container-available", lambda _, c: containers.append(
        {"id": c.get_id(), "title": c.get_title(), "class": c.get_upnp_class(),
         "children": c.get_child_count()}))
    parser.connect("item-available", lambda _, i: items.append(
        {"id": i.get_id(), "title": i.get_title(), "class": i.get_upnp_class(), "creator": i.get_creator(),
         "album": i.get_album(), "resources": [resource(r) for r in i.get_resources()]}))
    parser.parse_didl(didl)
    return containers, items


def resource(res):
    info = res.get_protocol_info()
    return {"uri": res.get_uri(), "size": res.get_size64(), "duration": res.get_duration(),
            "mime": info.get_mime_type(), "profile": info.get_dlna_profile(),
            "operation": int(info.get_dlna_operation()), "flags": int(info.get_dlna_flags())}


def walk(service):
    due = [("0", 0)]
    while due:
        container, level = due.pop(0)
        didl, returned, total, update_id = browse(service, container)
        containers, items = parse(didl)
        say(container=container, returned=returned, total=total, update_id=update_id,
            containers=containers, items=items)
        if level + 1 < LEVELS:
            due += [(c["id"], level + 1) for c in containers]


def on_event(_service, name, value, _data):
    say(event=name, value=value)


def on_available(_point, device):
    say(found=device.get_friendly_name(), udn=device.get_udn(), model=device.get_model_name())
    service = device.get_service(CONTENT_DIRECTORY)
    walk(service)
    for variable, kind in (("SystemUpdateID", GObject.TYPE_UINT),
                           ("ContainerUpdateIDs", GObject.TYPE_STRING)):
        if not service.add_notify(variable, kind, on_event, None):
            say(failed=f"add_notify {variable}")
    service.connect("subscription-lost", lambda _, error: say(failed=str(error)))
    service.set_subscribed(True)
    say(subscribed=service.get_subscribed())
    on_available.keep = service


def main():
    context = GUPnP.Context.new_full(sys.argv[1], None, 0, GSSDP.UDAVersion.VERSION_1_0)
    point = GUPnP.ControlPoint.new(context, MEDIA_SERVER)
    point.connect("device-proxy-available", on_available)
    point.connect("device-proxy-unavailable", lambda _, device: say(gone=device.get_udn()))
    point.set_active(True)
    loop = GLib.MainLoop()
    GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT,
                      GLib.IOCondition.IN | GLib.IOCondition.HUP, lambda *_: loop.quit())
    loop.run()


if __name__ == "__main__":
    main()
