// What a word is, for the monolith's search and for the service that takes it over.
// The danger it guards against: a move that changes which shipments a query finds.

const marks = /\p{M}+/gu
const notWord = /[^\p{L}\p{N}]+/gu

/** Lower case, without accents, with one space for whatever is neither letter nor digit. */
export function fold(text: string): string {
  return text.normalize('NFKD').replace(marks, '').toLowerCase().replace(notWord, ' ').trim()
}

/** The words of a query, each once. */
export function wordsOf(text: string): readonly string[] {
  const folded = fold(text)
  return folded === '' ? [] : [...new Set(folded.split(' '))]
}
