/** A count with its noun; English and Spanish both use the singular for 1 alone. */
export const many = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`;
