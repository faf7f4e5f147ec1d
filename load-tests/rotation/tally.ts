// What became of the requests of a run, by what their credential was worth at the time. Pure.
// The danger it guards against: a doubtful moment that is judged at all: a request that was under way when its credential ended may
// go either way.
import type { SentRequest } from '../traffic.ts'
import type { Credential } from './purse.ts'

export interface Ended {
  /** Sent after the bound. */
  readonly sent: number
  /** Of these, what was answered as if nothing had happened. */
  readonly passed: number
  /** And what was neither passed nor refused: 429, 503, a broken connection. */
  readonly odd: number
  /** How long after its end one was taken last, within the bound; undefined when none was. */
  readonly takenForMs?: number
}

export interface Tally {
  /** Requests whose credential was good until they were answered. */
  readonly good: number
  readonly refused: readonly SentRequest[]
  /** By how they have ended. */
  readonly ended: Readonly<Record<string, Ended>>
  /** Those that passed or were odd. */
  readonly wrong: readonly SentRequest[]
}

type Credentials = (id: string) => Credential | undefined

/** @param wallOf milliseconds since the epoch, of a time of the records */
export function tallyOf(
  records: readonly SentRequest[],
  credentialOf: Credentials,
  wallOf: (at: number) => number,
): Tally {
  const refused: SentRequest[] = []
  const wrong: SentRequest[] = []
  const ended: Record<string, { sent: number; passed: number; odd: number; takenForMs?: number }> = {}
  let good = 0

  function judgeEnded(record: SentRequest, { how, goodUntil, badFrom }: Credential): void {
    ended[how] ??= { sent: 0, passed: 0, odd: 0 }
    const of = ended[how]
    const sentAt = wallOf(record.sentAt)
    const isPassed = record.outcome === 'ok' && record.status === 200
    if (sentAt < badFrom) {
      if (isPassed && sentAt > goodUntil) of.takenForMs = Math.max(of.takenForMs ?? 0, sentAt - goodUntil)
      return
    }
    of.sent += 1
    const isRefused = record.status === 401
    if (isPassed) of.passed += 1
    else if (!isRefused) of.odd += 1
    if (isPassed || !isRefused) wrong.push(record)
  }

  for (const record of records) {
    const credential = credentialOf(record.visitor ?? '')
    if (credential && wallOf(record.endedAt) > credential.goodUntil) judgeEnded(record, credential)
    else {
      good += 1
      if (record.outcome !== 'ok') refused.push(record)
    }
  }
  return { good, refused, ended, wrong }
}
