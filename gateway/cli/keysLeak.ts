// banyan keys leak: keys that stand where they should not, a page, a log, a commit, are found there, revoked, and what was done
// with them is told. The danger it guards against: a night spent on finding out which key it was, while it works on.
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { findKeys } from '../identity/keyFormat.ts'
import type { Leak } from '../ops/keyLeak.ts'
import type { KeyUseView } from '../ops/keyView.ts'
import { type Ask, type Telling, tell } from './askAdmin.ts'
import { UsageError, type World } from './command.ts'
import { isFileFault } from './file.ts'
import { table } from './table.ts'

/** Only keys are sent, of whatever they were found in. */
export async function leak(ask: Ask, telling: Telling): Promise<number> {
  const { given, world } = telling
  const [, place = ''] = given.operands
  const found = findKeys(await textOf(place, world))
  if (found.length === 0) {
    world.complain('no key is in it')
    return 1
  }
  const answered = await ask.post<Leak>('/keys/leak', { keys: found, reason: given.value('reason') })
  // What was not confirmed by all is told with what was done.
  if (!answered.ok && !given.isJson && 'keys' in answered.body) world.print(leakText(answered.body as unknown as Leak))
  return tell(answered, telling, leakText)
}

async function textOf(place: string, { stdin }: World): Promise<string> {
  if (place === '-') return text(stdin)
  if (findKeys(place).length > 0) return place
  try {
    return await readFile(place, 'utf8')
  } catch (thrown) {
    if (!isFileFault(thrown)) throw thrown
    throw new UsageError(`${place} is neither a key nor a file that can be read (${thrown.code})`)
  }
}

function leakText({ keys: leaked, unknown }: Leak): string {
  return [
    ...leaked.map(({ id, owner, was, uses }) => {
      const done = was === 'revoked' ? 'was revoked already' : `was ${was}, and is revoked now`
      return `${id} of ${owner} ${done}; ${uses.length === 0 ? 'nobody has used it' : `its use:\n\n${timelineOf(uses)}\n`}`
    }),
    ...unknown.map((id) => `${id} was never issued here`),
  ].join('\n')
}

/** By hour, route and address. */
export function timelineOf(uses: readonly KeyUseView[]): string {
  return table([
    ['HOUR', 'ROUTE', 'ADDRESS', 'REQUESTS', 'REFUSED', 'LAST'],
    ...uses.map(({ hour, route, address, count, refused, lastAt }) => [
      ...[hour, route, address, String(count), String(refused), lastAt],
    ]),
  ])
}
