// The thread that unpacks and compares, so that a large or hostile body holds up nobody's request.
// The danger it guards against: an error message that quotes the body over which it stumbled: only the place of an error leaves here.
import { parentPort, workerData } from 'node:worker_threads'
import { asFailure } from '../errors.ts'
import { compare } from './compare.ts'
import type { Compared, CompareRules, Comparison } from './comparison.ts'
import { createShow } from './redact.ts'

export interface Question {
  readonly old: Compared
  readonly candidate: Compared
  readonly rules: CompareRules
}

export type Reply = { readonly comparison: Comparison } | { readonly failure: string }

const show = createShow(workerData)

parentPort?.on('message', (question: Question) => parentPort?.postMessage(reply(question)))

function reply({ old, candidate, rules }: Question): Reply {
  try {
    return { comparison: compare(old, candidate, rules, show) }
  } catch (thrown) {
    return { failure: asFailure(thrown).message }
  }
}
