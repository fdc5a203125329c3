/** Area under the ROC curve; ties count half. 0.5 is chance. */
export function areaUnderRoc(scores: readonly number[], labels: ArrayLike<number>): number {
  const order = scores.map((_, index) => index).sort((a, b) => (scores[a] as number) - (scores[b] as number));
  let rankSum = 0;
  let positives = 0;
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && scores[order[end] as number] === scores[order[start] as number]) end += 1;
    const meanRank = (start + end + 1) / 2;
    for (let index = start; index < end; index += 1) {
      if (labels[order[index] as number] === 1) {
        rankSum += meanRank;
        positives += 1;
      }
    }
    start = end;
  }
  const negatives = order.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Mean squared error of a probability. */
export function brierScore(probabilities: readonly number[], labels: ArrayLike<number>): number {
  return probabilities.reduce((sum, probability, row) => sum + (probability - (labels[row] as number)) ** 2, 0) / probabilities.length;
}

/** Expected calibration error over ten equal-width bins. */
export function calibrationError(probabilities: readonly number[], labels: ArrayLike<number>): number {
  const bins = Array.from({ length: 10 }, () => ({ count: 0, predicted: 0, observed: 0 }));
  probabilities.forEach((probability, row) => {
    const bin = bins[Math.min(9, Math.floor(probability * 10))] as (typeof bins)[number];
    bin.count += 1;
    bin.predicted += probability;
    bin.observed += labels[row] as number;
  });
  return bins.reduce((sum, bin) => sum + Math.abs(bin.predicted - bin.observed), 0) / probabilities.length;
}
