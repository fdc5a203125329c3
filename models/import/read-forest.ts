import { readLightgbmJson, readLightgbmText } from './read-lightgbm.ts';
import { readOnnx } from './read-onnx.ts';
import { type ReadForest, refused } from './read-tree.ts';
import { readXgboost } from './read-xgboost.ts';

/** Reads a forest trained elsewhere, whichever of the known formats the content is in. Throws MODEL_IMPORT_REFUSED and says why. */
export function readForest(content: Uint8Array): ReadForest {
  const read = readAs(content);
  const beyond = read.forest.feature.find((feature) => feature >= read.featureCount);
  if (beyond !== undefined) throw refused(`A tree splits on feature ${beyond}; the model says that it reads ${read.featureCount}.`);
  return read;
}

function readAs(content: Uint8Array): ReadForest {
  const start = new TextDecoder().decode(content.subarray(0, 16));
  if (/^tree\r?\n/.test(start)) return readLightgbmText(new TextDecoder().decode(content).replaceAll('\r\n', '\n'));
  if (/^\{[L#$]/.test(start)) throw refused('The file is XGBoost binary JSON (UBJSON); save it with the ending .json.');
  if (!/^\s*\{/.test(start)) return readOnnx(content);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(content));
  } catch (error) {
    throw refused('The file begins as JSON but cannot be parsed.', error);
  }
  if (typeof json === 'object' && json !== null && 'learner' in json) return readXgboost(json);
  if (typeof json === 'object' && json !== null && 'tree_info' in json) return readLightgbmJson(json);
  throw refused('The JSON is neither an XGBoost model nor a LightGBM dump.');
}
