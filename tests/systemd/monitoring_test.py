"""What Prometheus and Grafana are given: alert rules that fire when they should, and queries of
metrics that the daemon has, with the labels and values that it uses."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
import urllib.request

import exposition
from support import EndToEnd, PATIENCE_S, key

SOURCE = pathlib.Path(os.environ["REQUESTROUTER_SOURCE"])
MONITORING = SOURCE / "systemd/monitoring"
ALERTS = MONITORING / "alerts.yml"
TESTS = SOURCE / "tests/systemd/alerts_test.yml"

METRIC = re.compile(r"\b((?:requestrouter|process)_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPING = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")
OF_THE_TARGET = {"instance", "job"}  # labels that Prometheus adds


def promtool(*arguments, text=None):
    done = subprocess.run([exposition.PROMTOOL, *arguments], capture_output=True, text=True,
                          input=text, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


def alerts():
    """Name to expression. By hand, because the standard library reads no YAML."""
    text = ALERTS.read_text(encoding="utf-8")
    found = {}
    for block in text.split("- alert: ")[1:]:
        name, rest = block.split("\n", 1)
        found[name] = re.split(r"\n +(?:for|labels):", rest.split("expr: ", 1)[1])[0].strip("| \n")
    return found


def panels():
    """Title, expression and legend of every query of the dashboard."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    return [(panel["title"], target["expr"], target["legendFormat"])
            for panel in dashboard["panels"] for target in panel.get("targets", [])]


def base_name(name, found):
    """The family that a series belongs to."""
    for ending in ("_bucket", "_sum", "_count"):
        base = name.removesuffix(ending)
        if base != name and base in found.families and found.families[base].kind == "histogram":
            return base
    return name


def mistakes(expression, found):
    """What a query asks for that the exposition does not have."""
    problems, labels_known = [], set(OF_THE_TARGET)
    for name, selector in METRIC.findall(expression):
        family = found.families.get(base_name(name, found))
        if not family:
            problems.append(f"no metric {name}")
            continue
        if family.kind == "histogram" and base_name(name, found) == name:
            problems.append(f"{name} is a histogram")
        series = [labels for labels, _ in found.series(name)]
        names = {label for labels in series for label in labels}
        labels_known |= names
        for label, operator, value in MATCHER.findall(selector):
            if label in OF_THE_TARGET:
                continue
            if label not in names:
                problems.append(f"{name} has no label {label}")
            for word in value.split("|") if operator in ("=", "=~") else ():
                if not any(labels.get(label) == word for labels in series):
                    problems.append(f"{name} has no {label}={word}")
        if re.search(rf"(?:rate|increase)\({name}\b", expression) and family.kind == "gauge":
            problems.append(f"{name} is a gauge and has no rate")
    for group in GROUPING.findall(expression):
        for label in filter(None, re.split(r"[,\s]+", group)):
            if label not in labels_known:
                problems.append(f"nothing has a label {label}")
    if "histogram_quantile" in expression and not re.search(r"by \([^)]*\ble\b", expression):
        problems.append("a quantile needs le")
    return problems


class Queries(EndToEnd):
    """Against a daemon that has seen all that leaves a trace in metrics."""

    SIM = ("--key", "s1:rpm=100,tpm=1000000", "--key", "s2:rpm=1,tpm=1000000",
           "--key", "s3:rpm=1,tpm=1000000")

    def setUp(self):
        super().setUp()
        daemon = self.daemon(
            keys=[key("k1", rpm=100, rpd=1000), key("k2", model="gemini-2.5-pro", rpm=2, tpd=10_000),
                  key("k3", rpm=100, tpm=1000), key("k4", model="gemini-2.0-flash", rpm=5)],
            secrets={"k1": "s1", "k2": "s2", "k3": "s1", "k4": "s3"}, start=False,
            config={"metrics_listen": "127.0.0.1:0", "max_retries": 0})
        config = json.loads(daemon.config.read_text(encoding="utf-8"))
        config["models"] = {"gemini-2.5-flash": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}}
        config["keys"][1]["models"] = [{"name": "gemini-2.5-flash-lite", "rpm": 1}]
        daemon.config.write_text(json.dumps(config), encoding="utf-8")
        client = self.client(daemon.start())
        client.chat("hello", conv_id="talk", model_preference="gemini-2.5-flash")
        for model in ("gemini-2.5-pro", "gemini-2.0-flash"):
            for _ in range(2):  # the provider refuses the second: k4 cools, and one model of k2
                client.chat("hello", model_preference=model, allow_fallback=False, max_wait_ms=0)
        self.sim.control(faults=[{"kind": "status", "status": 503, "count": 0}])
        for _ in range(2):  # on two keys, so that the provider itself cools
            client.chat("hello", model_preference="gemini-2.5-flash", max_wait_ms=0)
        address = re.search(r"served at (http://\S+)", daemon.log_text())[1]
        with urllib.request.urlopen(address, timeout=PATIENCE_S) as reply:
            self.found = exposition.Exposition(reply.read().decode())

    def test_every_query_finds_its_metrics_labels_and_values(self):
        queries = [*alerts().items(), *((title, query) for title, query, _ in panels())]
        self.assertGreater(len(queries), 40)
        for name, expression in queries:
            with self.subTest(name):
                self.assertEqual(mistakes(expression, self.found), [], expression)

    def test_every_legend_names_labels_that_are_there(self):
        for title, expression, legend in panels():
            grouped = {label for group in GROUPING.findall(expression)
                       for label in re.split(r"[,\s]+", group)}
            for name, _ in METRIC.findall(expression) if not grouped else ():
                grouped |= {label for labels, _ in self.found.series(name) for label in labels}
            for label in re.findall(r"\{\{(\w+)\}\}", legend):
                self.assertIn(label, grouped, title)

    def test_a_query_of_what_is_not_there_is_found(self):
        for wrong in ("requestrouter_no_such_metric", "rate(requestrouter_healthy[5m])",
                      'requestrouter_key_state{state="happy"}', "requestrouter_wait_seconds",
                      'requestrouter_key_state{colour="red"}', "process_no_such",
                      "sum by (colour) (requestrouter_key_up)",
                      "histogram_quantile(0.9, rate(requestrouter_wait_seconds_bucket[5m]))"):
            self.assertNotEqual(mistakes(wrong, self.found), [], wrong)

    def test_every_metric_of_the_daemon_has_its_place_on_the_dashboard(self):
        """But for those that alerts and other tools read."""
        shown = {base_name(name, self.found) for _, expression, _ in panels()
                 for name, _ in METRIC.findall(expression)}
        elsewhere = {"requestrouter_router_responding", "process_virtual_memory_bytes",
                     "process_start_time_seconds", "process_threads",
                     "requestrouter_config_last_reload_success_timestamp_seconds"}
        ours = {name for name in self.found.families
                if name.startswith(("requestrouter_", "process_"))}
        self.assertEqual(ours - shown, elsewhere)

    def test_every_metric_is_in_the_reference_with_its_labels(self):
        reference = (SOURCE / "daemon/config/REFERENCE.md").read_text(encoding="utf-8")
        rows = [row.split("|") for row in reference.splitlines() if "| `requestrouter_" in row]
        labels = {name: set(re.findall(r"`(\w+)`", row[2]))
                  for row in rows for name in re.findall(r"`(requestrouter_\w+)`", row[1])}
        ours = {name: {label for series in family.samples for label in series[1]} - {"le"}
                for name, family in self.found.families.items()
                if name.startswith("requestrouter_")}
        self.assertEqual(labels, ours)

    @unittest.skipUnless(exposition.PROMTOOL, "needs promtool (package prometheus)")
    def test_the_linter_has_nothing_against_any_of_it(self):
        self.assertEqual(exposition.check_metrics(self.found.text), "")


@unittest.skipUnless(exposition.PROMTOOL, "needs promtool (package prometheus)")
class Rules(unittest.TestCase):
    def test_prometheus_accepts_the_rules_and_the_configuration_around_them(self):
        for what, path in (("rules", ALERTS), ("config", MONITORING / "prometheus.yml")):
            code, said = promtool("check", what, str(path))
            self.assertEqual(code, 0, said)

    def test_prometheus_accepts_every_query_of_the_dashboard(self):
        rules = ["groups:", "- name: dashboard", "  rules:"]
        for number, (_, query, _) in enumerate(panels()):
            query = query.replace("$__rate_interval", "5m").replace("$instance", ".*")
            rules += [f"  - record: query:{number}", f"    expr: {json.dumps(query)}"]
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write("\n".join(rules))
            file.flush()
            code, said = promtool("check", "rules", file.name)
        self.assertEqual(code, 0, said)

    def run_tests(self, rules):
        """alerts_test.yml on these rules."""
        with tempfile.TemporaryDirectory(prefix="rr-alerts-") as folder:
            (pathlib.Path(folder) / "alerts.yml").write_text(rules, encoding="utf-8")
            tests = TESTS.read_text(encoding="utf-8").replace("ALERTS_YML", "alerts.yml")
            path = pathlib.Path(folder) / "alerts_test.yml"
            path.write_text(tests, encoding="utf-8")
            return promtool("test", "rules", str(path))

    def test_the_alerts_fire_when_they_should_and_only_then(self):
        code, said = self.run_tests(ALERTS.read_text(encoding="utf-8"))
        self.assertEqual(code, 0, said)

    def test_a_rule_that_is_wrong_is_found(self):
        rules = ALERTS.read_text(encoding="utf-8")
        for right, wrong in (("> 0.9", "> 0.95"), ("> 60", "> 600"), ("for: 2m", "for: 3m"),
                             ("disabled|no_secret", "disabled")):
            self.assertIn(right, rules)
            self.assertNotEqual(self.run_tests(rules.replace(right, wrong))[0], 0, wrong)

    def test_every_alert_has_a_test_and_says_what_to_do(self):
        tested = TESTS.read_text(encoding="utf-8")
        rules = ALERTS.read_text(encoding="utf-8")
        self.assertGreater(len(alerts()), 10)
        for name in alerts():
            self.assertIn(f'alertname="{name}", alertstate="firing"', tested)
            block = rules.split(f"- alert: {name}\n")[1].split("- alert: ")[0]
            self.assertIn("summary: ", block, name)


if __name__ == "__main__":
    unittest.main()
