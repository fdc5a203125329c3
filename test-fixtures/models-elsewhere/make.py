import json
import lightgbm as lgb
import onnx.helper
import numpy as np
import xgboost as xgb
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier

make_attribute = onnx.helper.make_attribute


def attribute_without_booleans(name, value, *args, **kwargs):
    if isinstance(value, (list, tuple)) and any(isinstance(v, (bool, np.bool_)) for v in value):
        value = [int(v) for v in value]
    return make_attribute(name, value, *args, **kwargs)


onnx.helper.make_attribute = attribute_without_booleans

NAMES = [f"x{i}" for i in range(6)]
rng = np.random.default_rng(7)
x = rng.normal(size=(1500, 6)).astype(np.float32)
x[:, 5] = np.round(x[:, 5])
odds = -0.7 + x[:, 0] + (x[:, 1] > 0.3) + x[:, 2] * x[:, 3]
y = (rng.random(1500) < 1 / (1 + np.exp(-odds))).astype(int)
holes = x.copy()
holes[rng.random(x.shape) < 0.1] = np.nan


def rows(values):
    return [[None if np.isnan(v) else float(v) for v in row] for row in values[:40]]


def golden(values, margin, contributions=None):
    out = {"rows": rows(values), "margin": [float(v) for v in margin[:40]]}
    if contributions is not None:
        out["contributions"] = [[float(v) for v in row] for row in contributions[:40]]
    return out


def logit(p):
    return np.log(p / (1 - p))


found = {}

data = xgb.DMatrix(holes, y, feature_names=NAMES)
model = xgb.train({"objective": "binary:logistic", "max_depth": 3, "eta": 0.3, "nthread": 1, "seed": 1}, data, 8)
model.save_model("xgboost-3.json")
found["xgboost-3.json"] = golden(holes, model.predict(data, output_margin=True), model.predict(data, pred_contribs=True))

model = lgb.train(
    {"objective": "binary", "num_leaves": 7, "learning_rate": 0.3, "verbose": -1, "num_threads": 1, "seed": 1, "deterministic": True},
    lgb.Dataset(holes, y, feature_name=NAMES), 8)
model.save_model("lightgbm.txt")
json.dump(model.dump_model(), open("lightgbm.json", "w"))
found["lightgbm.txt"] = found["lightgbm.json"] = golden(holes, model.predict(holes, raw_score=True), model.predict(holes, pred_contrib=True))

for name, model, values in [
    ("sklearn-gradient-boosting.onnx", GradientBoostingClassifier(n_estimators=8, max_depth=3, random_state=1), x),
    ("sklearn-hist-gradient-boosting.onnx", HistGradientBoostingClassifier(max_iter=8, max_depth=3, min_samples_leaf=5, random_state=1), holes),
    ("sklearn-random-forest.onnx", RandomForestClassifier(n_estimators=8, max_depth=4, random_state=1), x),
]:
    model.fit(values, y)
    converted = convert_sklearn(model, initial_types=[("X", FloatTensorType([None, 6]))], options={id(model): {"zipmap": False}}, target_opset={"": 15, "ai.onnx.ml": 3})
    open(name, "wb").write(converted.SerializeToString())
    probability = model.predict_proba(values)[:, 1]
    found[name] = golden(values, probability if "forest" in name else model.decision_function(values))

json.dump(found, open("golden.json", "w"), separators=(",", ":"))
