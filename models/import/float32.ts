const view = new DataView(new ArrayBuffer(4));

/** The largest float32 below x, itself a float32: `value < x` and `value <= below(x)` say the same of float32 values. */
export function below(x: number): number {
  if (x === Number.NEGATIVE_INFINITY) return x;
  view.setFloat32(0, x);
  const bits = view.getInt32(0);
  view.setInt32(0, x > 0 ? bits - 1 : x < 0 ? bits + 1 : -2_147_483_647);
  return view.getFloat32(0);
}

/** The largest float32 that is not above x: `value <= x` and `value <= atMost(x)` say the same of float32 values. */
export function atMost(x: number): number {
  const rounded = Math.fround(x);
  return rounded > x ? below(rounded) : rounded;
}
