"""XGBoost on the rows that test-fixtures/trained-models.ts gives: the earliest 60 %. Writes denial-risk-xgboost.json."""
import json, pathlib, subprocess
import numpy, xgboost

here = pathlib.Path(__file__).parent
script = """
import { smallTable } from '#test-fixtures/trained-models.ts';
const { features, rows, labels } = smallTable();
const count = Math.floor(labels.length * 0.6), width = features.length;
console.log(JSON.stringify({ features, labels: [...labels.slice(0, count)], rows: Array.from({ length: count }, (_, row) => Array.from(rows.slice(row * width, (row + 1) * width), (v) => (Number.isNaN(v) ? null : v))) }));
"""
given = json.loads(subprocess.run(["node", "--input-type=module-typescript", "-e", script], cwd=here.parents[1], capture_output=True, check=True, text=True).stdout)
rows = numpy.array([[numpy.nan if v is None else v for v in row] for row in given["rows"]], dtype=numpy.float32)
data = xgboost.DMatrix(rows, label=given["labels"], feature_names=given["features"])
model = xgboost.train({"objective": "binary:logistic", "max_depth": 3, "eta": 0.2, "min_child_weight": 5, "seed": 1, "nthread": 1}, data, num_boost_round=25)
model.save_model(here / "denial-risk-xgboost.json")
