import json
import subprocess
import tempfile

import numpy as np
import xgboost as xgb
from sklearn.metrics import roc_auc_score

MADE = """
import { writeFileSync } from 'node:fs';
import { boostingTable } from '../boosting-table.ts';
const [folder, rows, features, seed] = process.argv.slice(1);
const table = boostingTable(Number(rows), Number(features), Number(seed));
writeFileSync(`${folder}/rows`, new Uint8Array(table.rows.buffer));
writeFileSync(`${folder}/labels`, table.labels);
"""


def measured(rows, features, seed, trees, depth):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["node", "--input-type=module-typescript", "-e", MADE, folder, str(rows), str(features), str(seed)], check=True)
        x = np.fromfile(f"{folder}/rows", dtype="<f4").reshape(rows, features)
        y = np.fromfile(f"{folder}/labels", dtype="u1")
    settings = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.1, "lambda": 1, "min_child_weight": 5, "tree_method": "hist", "max_bin": 254, "nthread": 1}
    train, test = int(rows * 0.8), int(rows * 0.9)
    model = xgb.train(settings, xgb.DMatrix(x[:train], y[:train]), trees)
    area = roc_auc_score(y[test:], model.predict(xgb.DMatrix(x[test:])))
    return {"rows": rows, "features": features, "seed": seed, "trees": trees, "depth": depth, "learningRate": 0.1, "lambda": 1, "minChildWeight": 5, "areaUnderRoc": area}


json.dump({"xgboost": xgb.__version__, "small": measured(20000, 10, 11, 40, 4), "large": measured(100000, 30, 11, 200, 6)}, open("auc.json", "w"), indent=2)
