// `/api/documents/:id/summary` as the monolith has always done it: in the only thread, and over all words for each word.
// The danger it shows: everybody waits while it thinks. That is why this path is worth moving; do not make it fast.
import { closeSync, openSync, readSync } from 'node:fs'
import {
  type CountWords,
  checkIsText,
  longestText,
  sendSummary,
  weightyWords,
} from '../../services/kit/summaryContract.ts'
import type { Visit } from '../../services/kit/visit.ts'

/** @throws Refusal 422 for what is no text */
export function summarise(visit: Visit, type: string, file: string): void {
  checkIsText(type)
  sendSummary(visit, readStart(file), countAgainEachTime)
}

const countAgainEachTime: CountWords = (text, words) =>
  words.map((word) => weightyWords(text).filter((other) => other === word).length)

function readStart(file: string): string {
  const buffer = Buffer.alloc(longestText)
  const descriptor = openSync(file, 'r')
  try {
    return buffer.toString('utf8', 0, readSync(descriptor, buffer))
  } finally {
    closeSync(descriptor)
  }
}
