// What tells a rollout's clients apart, and how its testers are known.
// The danger it guards against: a canary whose clients go to and fro, because nothing tells one from another.
import type { StickyBy, Testers } from '../model.ts'
import { type Page, refuse } from './page.ts'
import { below } from './pointer.ts'
import type { CheckedRollout } from './rolloutSchema.ts'

const leastKeyLength = 16

/** @param at pointer of the mapping that has the rollout's keys */
export function stickyByOf(page: Page, at: string, settings: CheckedRollout): StickyBy | undefined {
  const { stickyBy } = settings
  if (stickyBy === 'address' || stickyBy === 'affinity') return { by: stickyBy }
  if (stickyBy) return stickyByOne(stickyBy) ?? refuse(page, below(at, 'stickyBy'), stickyByTakes)
  const session = page.checked.at<string>('/sessionCookie')
  if (session !== undefined) return { by: 'cookie', name: session }
  const needing = needingOf(settings)
  if (needing) {
    refuse(
      page,
      below(at, needing),
      `${needing === 'stage' ? 'a canary' : `"${needing}"`} needs something that tells clients apart; add stickyBy: { cookie: NAME }, { field: NAME }, address or affinity, or a "sessionCookie" at the top of the file`,
    )
  }
  return undefined
}

/** The key that is worth nothing where nothing tells clients apart. */
function needingOf({ stage, holdback, readYourWrites }: CheckedRollout): keyof CheckedRollout | undefined {
  if (stage === 'canary') return 'stage'
  if (holdback !== undefined) return 'holdback'
  return readYourWrites && 'readYourWrites'
}

export function testersOf(page: Page, at: string, { testers }: CheckedRollout): Testers | undefined {
  if (!testers) return undefined
  const { cookie, field, key } = testers
  const pointer = below(at, 'testers')
  if (key.length < leastKeyLength)
    return refuse(
      page,
      below(pointer, 'key'),
      `the key must be a secret of at least ${leastKeyLength} characters; make one with: openssl rand -hex 32`,
    )
  const bearer = bearerOf({ cookie, field })
  return bearer ? { ...bearer, key } : refuse(page, pointer, `testers carry their word in ${eitherBearer}`)
}

const stickyByTakes = 'stickyBy takes one of "cookie", "field" and "claim"; give one of them'

type Named = Exclude<NonNullable<CheckedRollout['stickyBy']>, string>

function stickyByOne({ claim, ...bearer }: Named): StickyBy | undefined {
  const other = bearerOf(bearer)
  if (claim === undefined) return other
  return bearer.cookie === undefined && bearer.field === undefined ? { by: 'claim', name: claim } : undefined
}

const eitherBearer = 'either a "cookie" or a "field"; give one of them'

/** Undefined for none, or both. */
function bearerOf({ cookie, field }: { cookie?: string | undefined; field?: string | undefined }) {
  if (cookie !== undefined && field === undefined) return { by: 'cookie', name: cookie } as const
  return field !== undefined && cookie === undefined ? ({ by: 'field', name: field } as const) : undefined
}
