// Keys of clients and tokens of operators, known by their looks wherever they stand in a text that is told.
// The danger it guards against: a key in place of its name, sent back or written down because somebody has pasted the wrong thing.

/** The same text; of each key its name alone, which is no secret, and of each token nothing. */
export function hideKeys(text: string): string {
  return text.replace(/byn_([a-z0-9]{1,16})_([0-9A-Za-z]{8})[0-9A-Za-z]+/g, 'byn_$1_$2…').replace(/bya_[\w-]{9,}/g, '…')
}
