"""The taxi pipeline: wide and deep, missing values, evaluation by slices."""
import json

from driver import main


def test_run(h):
    h.project("taxi")
    states, _ = h.states()
    assert set(states.values()) == {"finished"}, states
    shown = json.loads(h.run("show", "evaluator", "--json").out)
    artifact = [o["artifact"] for o in shown["outputs"] if o["key"] == "evaluation"][0]
    content = json.loads(h.run("show", "artifact", str(artifact), "--json").out)["content"]
    metrics = {m["name"]: m["value"] for m in content["slices"][0]["metrics"]}
    assert metrics["binary_accuracy"] >= 0.78 and metrics["auc"] >= 0.92, metrics
    assert len(content["slices"]) == 25, [s["slice"] for s in content["slices"]]
    states, _ = h.states()
    assert states["trainer"] == "cached", states


if __name__ == "__main__":
    main(globals())
