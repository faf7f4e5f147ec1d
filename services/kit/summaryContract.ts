// What `/api/documents/:id/summary` answers, on whichever side it runs: the three sentences that speak most of what the
// text speaks of. A sentence's score is the mean, over its words of four letters or more, of how often the text has them;
// the earlier one wins a tie; they are given in the text's order. Only how the words are counted differs.
// The danger it guards against: a client that can tell the two sides apart.
import { Refusal, sendJson, type Visit } from './visit.ts'
import { fold } from './words.ts'

/** Of a longer document only so many bytes are read. */
export const longestText = 8192

const sentencesWanted = 3
const shortestWord = 4

/** How often the text has each of these words; the words of one sentence, with repetitions. */
export type CountWords = (text: string, words: readonly string[]) => readonly number[]

/** The words that count, folded, with repetitions. */
export function weightyWords(text: string): readonly string[] {
  return fold(text)
    .split(' ')
    .filter((word) => word.length >= shortestWord)
}

/** @throws Refusal 422 for what is no text. */
export function checkIsText(type: string): void {
  if (!/^text\//i.test(type)) throw new Refusal(422, 'only text documents have a summary')
}

/** Answers with the summary of a text. @param countWords the one thing that the two sides do differently */
export function sendSummary(visit: Visit, text: string, countWords: CountWords): void {
  const sentences = sentencesOf(text)
  const best = sentences
    .map((sentence, index) => ({ index, score: scoreOf(sentence, (words) => countWords(text, words)) }))
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, sentencesWanted)
    .sort((a, b) => a.index - b.index)
  const summary = best.map(({ index }) => sentences[index])
  const words = fold(text).split(' ').filter(Boolean).length
  sendJson(visit, 200, { id: visit.params.id, words, sentences: sentences.length, summary })
}

function scoreOf(sentence: string, countWords: (words: readonly string[]) => readonly number[]): number {
  const words = weightyWords(sentence)
  if (words.length === 0) return 0
  return countWords(words).reduce((sum, count) => sum + count, 0) / words.length
}

function sentencesOf(text: string): readonly string[] {
  return text
    .replace(/\s+/g, ' ')
    .split(/(?<=[.!?]) /)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
}
