// What a run of rotations comes to. Pure.
// The danger it guards against: a run that rotated nothing, or sent nothing with what had ended, taken for evidence.
import { decide, doubtsAboutSoundness, type Soundness, said, type Verdict } from '../verdict.ts'
import type { Tally } from './tally.ts'

export interface Facts extends Pick<Soundness, 'requests' | 'unsent' | 'lagP99Ms'> {
  readonly tally: Tally
  /** How often each was rotated. */
  readonly rotations: Readonly<Record<string, number>>
  /** Why a rotation did not come to its end. */
  readonly unfinished?: string | undefined
}

/** All ways in which credentials must have ended, and been shown again. */
export const endings = [
  'rotated key',
  'revoked key',
  'expired token',
  'token of a withdrawn key',
  'expired internal token',
  'no token',
] as const

export function verdictOf(facts: Facts): { readonly verdict: Verdict; readonly reasons: readonly string[] } {
  const { tally, rotations, unfinished } = facts
  const failures = [
    ...said(tally.refused.length, 'not answered although what they showed was good'),
    ...Object.entries(tally.ended).flatMap(([how, { passed, odd }]) => [
      ...said(passed, `answered that had shown what was not good any more (${how})`),
      ...said(odd, `neither answered nor refused with 401 (${how})`),
    ]),
    ...(unfinished === undefined ? [] : [`a rotation did not come to its end: ${unfinished}`]),
  ]
  const doubts = [
    ...doubtsAboutSoundness({ ...facts, forgotten: 0, running: 0 }),
    ...Object.entries(rotations).flatMap(([what, count]) => (count > 0 ? [] : [`nothing was rotated of ${what}`])),
    ...endings.flatMap((how) => (tally.ended[how]?.sent ? [] : [`nothing was sent after the bound of: ${how}`])),
  ]
  return decide(failures, doubts)
}
