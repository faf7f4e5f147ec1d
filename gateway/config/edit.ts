// Edits where one move stands, its stage and share, in the text of routes.yaml: what `promote` and `rollback` leave behind.
// The danger it guards against: an edit that changes more than it was asked for. Only the characters of the two values are
// touched, and the outcome is read again and compared with what was meant before anybody gets to see it.
import { isDeepStrictEqual } from 'node:util'
import type { Stage } from '../model.ts'
import { dropKey, putKey } from './editKey.ts'
import { anchorOn, findPlace, type Place } from './editPlace.ts'
import { Refusal, readSheet, type Sheet } from './editSheet.ts'
import { isMapping, valueAt } from './pointer.ts'

/** Where a move is to stand. */
export interface Standing {
  /** A group, or a route by its name or by what it `was`. */
  readonly rollout: string
  readonly stage: Stage
  /** `10%`; undefined: no share, the key goes. */
  readonly share?: string | undefined
}

/** The whole text, or a sentence that says why not and what to do by hand. */
export type Edited = { readonly text: string } | { readonly problem: string }

const byteOrderMark = '\uFEFF'

/** @param text of routes.yaml. Every character but those of the two values, or of their lines, stays as it is */
export function editStanding(text: string, standing: Standing): Edited {
  const mark = text.startsWith(byteOrderMark) ? byteOrderMark : ''
  try {
    return { text: mark + edit(text.slice(mark.length), standing) }
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown
    return { problem: `${thrown.message}; ${thrown.remedy ?? byHand(standing)}` }
  }
}

function edit(text: string, standing: Standing): string {
  const sheet = readSheet(text)
  if ('mistake' in sheet) throw new Refusal(sheet.mistake, 'mend the file first')
  const place = findPlace(sheet.value, standing.rollout)
  const { stage, share } = standing
  const staged = putKey(sheet, place, { key: 'stage', value: stage, after: 'to' })
  const between = reread(staged, sheet, place)
  const edited =
    share === undefined
      ? dropKey(between, place, 'share')
      : putKey(between, place, { key: 'share', value: share, after: 'stage' })
  const outcome = reread(edited, sheet, place)
  if (!isDeepStrictEqual(outcome.value, meant(sheet.value, place, standing))) throw unsafe(sheet, place)
  return edited
}

function reread(text: string, before: Sheet, place: Place): Sheet {
  const sheet = readSheet(text)
  if ('mistake' in sheet) throw unsafe(before, place)
  return sheet
}

/** What the file should say afterwards. @param value what it said before; it is changed */
function meant(value: unknown, { pointer }: Place, { stage, share }: Standing): unknown {
  const mapping = valueAt(value, pointer)
  if (!isMapping(mapping)) return undefined
  mapping.stage = stage
  if (share === undefined) delete mapping.share
  else mapping.share = share
  return value
}

function unsafe(sheet: Sheet, place: Place): Refusal {
  const anchor = anchorOn(sheet, place)
  const why = anchor === undefined ? '' : `, for the anchor "&${anchor}" stands on it`
  return new Refusal(`${place.who} cannot be edited without changing more than its stage and share${why}`)
}

function byHand({ stage, share }: Standing): string {
  return `set "stage: ${stage}" and ${share === undefined ? 'remove "share"' : `"share: ${share}"`} by hand`
}
