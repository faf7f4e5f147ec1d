// banyan keys: keys that this gateway issues to clients, from their issue to their end.
// The danger it guards against: a key that stands in a log or a shell's history because a command printed it twice. So it goes to
// standard output once, alone, and whatever is said about it to standard error.
import type { KeyUseView, KeyView } from '../ops/keyView.ts'
import { type Answered, type Ask, asking, askingOptions, refuse, type Telling, tell } from './askAdmin.ts'
import { type Command, type Given, UsageError } from './command.ts'
import { leak, timelineOf } from './keysLeak.ts'
import { reasonOption } from './order.ts'
import { table } from './table.ts'

interface Part {
  /** What follows its name. */
  readonly operands: '' | 'ID' | 'KEY|FILE|-'
  /** The options that it takes beside those of all. */
  readonly takes: readonly string[]
  readonly needs?: string
  run(ask: Ask, telling: Telling): Promise<number>
}

const parts: Readonly<Record<string, Part>> = {
  issue: { operands: '', takes: ['owner', 'scopes', 'routes', 'rate', 'expires'], needs: 'owner', run: issue },
  rotate: { operands: 'ID', takes: [], run: rotate },
  revoke: { operands: 'ID', takes: ['reason'], needs: 'reason', run: revoke },
  list: { operands: '', takes: [], run: list },
  who: { operands: 'ID', takes: [], run: who },
  leak: { operands: 'KEY|FILE|-', takes: ['reason'], run: leak },
  adopt: { operands: '', takes: ['reason'], needs: 'reason', run: adopt },
}

const ownOptions = ['owner', 'scopes', 'routes', 'rate', 'expires', 'reason']

export const keys: Command = {
  name: 'keys',
  operands: `${Object.keys(parts).join('|')} [ID|FILE]`,
  count: [1, 2],
  summary:
    'Issues keys to clients (printed once), rotates, revokes and lists them, and says who uses one. leak: revokes those that are found in a file or standard input (-). adopt: takes over the keys of a store that was emptied or replaced.',
  options: {
    owner: { type: 'string', value: 'NAME', help: 'issue: whose it is' },
    scopes: { type: 'string', value: 'A,B', help: 'issue: what it may' },
    routes: { type: 'string', value: 'A,B', help: 'issue: the routes that it opens; else all' },
    rate: { type: 'string', value: 'RATE', help: 'issue: its own limit, e.g. 100/min' },
    expires: {
      type: 'string',
      value: 'DURATION',
      help: 'issue: how long it works, e.g. 30d; maxAge holds in any case',
    },
    reason: reasonOption,
    ...askingOptions,
  },
  run: (given, world) => {
    const part = partOf(given)
    return asking(part.run)(given, world)
  },
}

function partOf(given: Given): Part {
  const [name = '', id] = given.operands
  const part = Object.hasOwn(parts, name) ? parts[name] : undefined
  if (!part) throw new UsageError(`banyan keys takes ${Object.keys(parts).join(', ')}, not "${name}"`)
  const { operands, takes, needs } = part
  if ((id !== undefined) !== (operands !== ''))
    throw new UsageError(`banyan keys ${name} takes ${operands === '' ? 'nothing more' : `one ${operands}`}`)
  const stray = ownOptions.find((option) => given.value(option) !== undefined && !takes.includes(option))
  if (stray !== undefined) throw new UsageError(`banyan keys ${name} takes no --${stray}`)
  if (needs !== undefined && !given.value(needs)) throw new UsageError(`banyan keys ${name} needs --${needs}`)
  return part
}

type Told = KeyView & { readonly key: string }

async function issue(ask: Ask, telling: Telling): Promise<number> {
  const { value } = telling.given
  const answered = await ask.post<Told>('/keys', {
    owner: value('owner'),
    scopes: listOf(value('scopes')),
    routes: listOf(value('routes')),
    rate: value('rate'),
    expires: value('expires'),
  })
  return tellKey(answered, telling, ({ id, endsAt }) => `${id} works until ${endsAt}`)
}

async function rotate(ask: Ask, telling: Telling): Promise<number> {
  const answered = await ask.post<Told & { readonly replaces: KeyView }>(placeOf(telling, 'rotate'), {})
  return tellKey(
    answered,
    telling,
    ({ id, replaces }) =>
      `${id} takes the place of ${replaces.id}, which works until ${replaces.endsAt}; who still uses that: banyan keys who ${replaces.id}`,
  )
}

/** The key alone to standard output, so that a script may take it from there. */
function tellKey<T extends Told>(answered: Answered<T>, telling: Telling, aboutIt: (body: T) => string): number {
  if (!answered.ok) return refuse(answered, telling)
  const { given, world } = telling
  const { body } = answered
  world.print(given.isJson ? JSON.stringify(body) : body.key)
  if (!given.isJson)
    world.complain(`${aboutIt(body)}\nthe key is told this once and kept nowhere: give it to its owner now`)
  return 0
}

async function revoke(ask: Ask, telling: Telling): Promise<number> {
  const order = { reason: telling.given.value('reason') }
  return tell(
    await ask.post<KeyView>(placeOf(telling, 'revoke'), order),
    telling,
    ({ id }) => `${id} is refused everywhere`,
  )
}

async function adopt(ask: Ask, telling: Telling): Promise<number> {
  const answered = await ask.post<{ readonly dropped: readonly string[] }>('/keys/adopt', {
    reason: telling.given.value('reason'),
  })
  return tell(answered, telling, ({ dropped }) =>
    dropped.length === 0 ? 'the keys of the store are taken over' : `taken over; known no more: ${dropped.join(', ')}`,
  )
}

async function list(ask: Ask, telling: Telling): Promise<number> {
  return tell(await ask.get<{ readonly keys: readonly KeyView[] }>('/keys'), telling, ({ keys: views }) => {
    if (views.length === 0) return 'no key has been issued'
    const rows = views.map(({ id, owner, scopes, routes, standing, denied, endsAt, lastUsedAt, successor }) => [
      ...[id, owner, denied ? `${standing}, denied` : standing, endsAt, lastUsedAt ?? '-'],
      ...[scopes.join(',') || '-', routes?.join(',') ?? 'all', successor ?? '-'],
    ])
    return table([['KEY', 'OWNER', 'IS', 'UNTIL', 'LAST USE', 'SCOPES', 'ROUTES', 'SUCCESSOR'], ...rows])
  })
}

interface Uses {
  readonly key: KeyView
  readonly uses: readonly KeyUseView[]
}

async function who(ask: Ask, telling: Telling): Promise<number> {
  return tell(await ask.get<Uses>(placeOf(telling, 'uses')), telling, ({ key, uses }) => {
    const about = `${key.id} of ${key.owner} is ${key.standing}${key.successor ? `, its successor is ${key.successor}` : ''}`
    return uses.length === 0 ? `${about}; nobody has used it` : `${about}\n\n${timelineOf(uses)}`
  })
}

function placeOf({ given }: Telling, what: string): string {
  return `/keys/${encodeURIComponent(given.operands[1] ?? '')}/${what}`
}

function listOf(text: string | undefined): readonly string[] | undefined {
  return text
    ?.split(',')
    .map((one) => one.trim())
    .filter(Boolean)
}
