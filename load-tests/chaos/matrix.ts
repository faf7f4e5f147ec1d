// The fault matrix: every cell of the table has an upstream, a breaker and a route of its own in one gateway, and is asked once.
// The danger it guards against: cells that disturb each other, and a cell that is right for want of a request.
import { type Cell, cells } from '../chaosTable.ts'
import { type Client, connectTo, type Reply } from '../client.ts'
import { primerPrefix, scriptOf, slowerThanMs } from './deeds.ts'
import { breakersOf, type StartGateway } from './gateway.ts'
import { type Origin, startOrigin, wellAs } from './origins.ts'

const timeoutMs = 20_000

export interface CellResult extends Cell {
  readonly found: string
  readonly foundAfter: string
}

/** @returns every cell with what was found, in the order of the table */
export async function runMatrix(start: StartGateway): Promise<readonly CellResult[]> {
  const old = await startOrigin(wellAs('old'))
  const fresh = await Promise.all(cells.map(({ deed }) => startOrigin(scriptOf(deed))))
  const gateway = await start(routesOf(old, fresh))
  const client = connectTo(gateway.url, timeoutMs)
  try {
    await Promise.all(
      cells.map((cell, i) => (cell.before === 'open' ? askCell(client, cell, i, primerPrefix) : undefined)),
    )
    const primed = await breakersOf(gateway)
    const replies = await Promise.all(cells.map((cell, i) => askCell(client, cell, i)))
    const after = await breakersOf(gateway)
    return cells.map((cell, i) => ({
      ...cell,
      found: [wordOf(replies[i]), `${hitsOf(fresh[i], i)}+${hitsOf(old, i)}`].join(' '),
      foundAfter: primed.get(`new${i}`) === cell.before ? (after.get(`new${i}`) ?? '') : 'never primed',
    }))
  } finally {
    client.close()
    await gateway.close()
    await Promise.all([old, ...fresh].map((origin) => origin.close()))
  }
}

export function isAsExpected({ expected, found, after, foundAfter }: CellResult): boolean {
  return expected === found && after === foundAfter
}

/** A sentence for a cell that differs. */
export function complaintOf({ deed, request, before, hasFallback, ...rest }: CellResult): string {
  const where = `${deed}, ${request}, breaker ${before}, fallback ${hasFallback ? 'on' : 'off'}`
  return `${where}: ${rest.found}, then ${rest.foundAfter}; not ${rest.expected}, then ${rest.after}`
}

/**
 * The routes take methods that write, and say nothing of writes surviving a rollback: the guard alarms and leaves them where they
 * are. Otherwise it would send everybody to the old side within a second, and no breaker or fallback would be seen.
 */
function routesOf(old: Origin, fresh: readonly Origin[]): string {
  const lines = fresh.map(({ port }, i) => {
    const { deed } = cells[i] as Cell
    // This port is held at 127.0.0.1: nobody listens there at any other address.
    const url = `http://127.0.0.${deed === 'refuse' ? 2 : 1}:${port}`
    const breaker = `minRequests: 1, open: 1h${deed === 'slow' ? `, slowerThan: ${slowerThanMs}ms` : ''}`
    return `  new${i}: { url: "${url}", firstByte: ${deed === 'hang' ? '500ms' : '15s'}, breaker: { ${breaker} } }`
  })
  const routes = cells.map(
    (cell, i) =>
      `  - { name: cell${i}, match: { path: /cell/${i} }, move: { to: new${i}, stage: live${fallbackOf(cell)} } }`,
  )
  return [
    'accessLog: off',
    'paths: { case: exact }',
    'unmatched: old',
    'upstreams:',
    `  old: { url: "${old.url}" }`,
    ...lines,
    'routes:',
    ...routes,
    '',
  ].join('\n')
}

function fallbackOf({ hasFallback, request }: Cell): string {
  if (!hasFallback) return ', fallback: none'
  return request === 'listed POST' ? ', fallback: { methods: [POST] }' : ''
}

function askCell(client: Client, { deed, request }: Cell, i: number, prefix = ''): Promise<Reply> {
  const isGet = request === 'GET'
  const mayWait = deed === 'continueClose' && !isGet && prefix === ''
  return client.send({
    method: isGet ? 'GET' : 'POST',
    target: `/cell/${i}`,
    fields: { 'X-Request-Id': prefix + idOf(i), ...(mayWait && { Expect: '100-continue' }) },
    body: isGet ? undefined : Buffer.from('an order'),
  })
}

/** The gateway makes ids of its own in place of shorter ones. */
function idOf(i: number): string {
  return `chaos-cell-${i}`
}

function hitsOf(origin: Origin | undefined, i: number): number {
  return origin?.hits.filter((id) => id === idOf(i)).length ?? 0
}

/** The answer as the table says it. */
export function wordOf(reply: Reply | undefined): string {
  if (!reply) return 'nothing'
  const { ending, status, body } = reply
  const text = body.toString('latin1')
  const code = /"urn:banyan:problem:(?:upstream)?(\w+)"/.exec(text)?.[1]
  if (ending === 'whole') return `${status} ${code ?? text}`
  return ending === 'truncated' ? `${status} ${text}!` : ending
}
