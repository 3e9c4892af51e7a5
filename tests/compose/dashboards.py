"""What the dashboards ask, and whether Grafana will take them."""

import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "envoy-configs"
FOLDER = CONFIGS / "grafana/dashboards"
# A metric of ours, or a recorded one: level:metric:operation.
METRIC = re.compile(r"\bnarrows_\w+|\b\w+:narrows_\w+:\w+")
# Gauges that are 0 or 1, and sums of that while a hot restart drains the older Envoy: 1 is not all they say.
FLAGS = re.compile(r"narrows_(?:config_rejected|split_guard|up)\b[^=<>!]*(?:\{[^}]*\})?[ )`]*[!=]= *\(?[01]")
# What Grafana puts into a query, and what stands for it here.
VARIABLES = {"$__rate_interval": "1m", "$split": ".*", "$rule": ".*", "$action": ".*", "$lane": ".*"}
COLUMNS = 24
PANELS = {"row", "stat", "state-timeline", "timeseries"}
UNITS = {"bytes", "ms", "percentunit", "reqps", "s", "short"}
BOARD = {"uid": str, "title": str, "description": str, "schemaVersion": int, "version": int, "tags": list, "time": dict,
         "templating": dict, "annotations": dict, "panels": list}
PANEL = {"id": int, "type": str, "title": str, "gridPos": dict}
QUERYING = {"datasource": dict, "description": str, "fieldConfig": dict, "options": dict, "targets": list}


def boards():
    return {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def queries():
    """Every query of every dashboard: where it stands, and what it asks of Prometheus."""
    for name, board in boards().items():
        for variable in board["templating"]["list"]:
            asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            yield f"{name}, variable {variable['name']}", f"count by ({asked[2]}) ({asked[1]})"
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                expression = target["expr"]
                for variable, value in VARIABLES.items():
                    expression = expression.replace(variable, value)
                yield f"{name}, {panel['title']} {target['refId']}", expression


def metrics(expression):
    """The metrics that a query names, without the parts of a histogram."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in METRIC.findall(expression)}


def faults():
    """What Grafana or Prometheus would stumble over, without asking either."""
    source = re.search(r"uid: ([\w-]+)", (CONFIGS / "grafana/provisioning/datasources/prometheus.yaml").read_text())[1]
    known = defined()
    seen = set()
    found = boards()
    if not found:
        yield f"no dashboards in {FOLDER}"
    for name, board in found.items():
        yield from shape(name, board, BOARD)
        if board["uid"] in seen or not re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", board["uid"]):
            yield f"{name}: uid {board['uid']!r} is not a name of its own"
        seen.add(board["uid"])
        for variable in board["templating"]["list"]:
            if "$" + variable["name"] not in VARIABLES or variable["datasource"]["uid"] != source:
                yield f"{name}: variable {variable['name']} is unknown to the tests, or asks another data source"
        yield from overlaps(name, board["panels"])
        for panel in board["panels"]:
            yield from panel_faults(f"{name}, {panel.get('title')}", panel, source)
    for place, expression in queries():
        for metric in sorted(metrics(expression) - known):
            yield f"{place}: nothing exports or records {metric}"


    for path in [*ROOT.glob("*.md"), *ROOT.glob("*/*/README.md"), *CONFIGS.rglob("*.yml"), CONFIGS / "README.md"]:
        yield from (f"{path}: {found}: write > 0" for found in FLAGS.findall(path.read_text()))
    for place, expression in queries():
        yield from (f"{place}: {found}: write > 0" for found in FLAGS.findall(expression))
        if re.match(r"max by \([^)]*\) \(narrows_(config_rejected|split_guard)[^)]*\)$", expression):
            yield f"{place}: a value of 2 has no name there; write > bool 0"


def panel_faults(place, panel, source):
    yield from shape(place, panel, PANEL)
    if panel["type"] not in PANELS:
        yield f"{place}: panels of type {panel['type']} are not checked; add what they need here"
    if panel["type"] == "row":
        return
    yield from shape(place, panel, QUERYING)
    if panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
        yield f"{place}: its unit is not one of {', '.join(sorted(UNITS))}"
    references = [target["refId"] for target in panel["targets"]]
    if not references or len(set(references)) != len(references):
        yield f"{place}: needs queries, each with a refId of its own"
    for target in panel["targets"]:
        asked = {part.get("uid") for part in (panel["datasource"], target["datasource"])}
        if asked != {source} or not target["expr"].strip() or not target["legendFormat"]:
            yield f"{place} {target['refId']}: needs a query, a legend and the data source {source}"


def shape(place, value, fields):
    for field, kind in fields.items():
        if not isinstance(value.get(field), kind) or value[field] == "":
            yield f"{place}: {field} is missing, empty or not a {kind.__name__}"


def overlaps(name, panels):
    if len({panel["id"] for panel in panels}) != len(panels):
        yield f"{name}: two panels have the same id"
    taken = {}
    for panel in panels:
        at = panel["gridPos"]
        if at["x"] < 0 or at["w"] < 1 or at["x"] + at["w"] > COLUMNS:
            yield f"{name}, {panel['title']}: not within {COLUMNS} columns"
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            if cell in taken:
                yield f"{name}: {panel['title']} covers {taken[cell]}"
                break
            taken[cell] = panel["title"]


def defined():
    """The metrics that the filters export and the rules record."""
    rules = re.findall(r"record: (\S+)", (CONFIGS / "prometheus/rules.yml").read_text())
    sources = (path.read_text() for path in (ROOT / "crates/core/src").rglob("*.rs"))
    return set(rules) | {name for text in sources for name in re.findall(r'"(narrows_\w+)"', text)}
