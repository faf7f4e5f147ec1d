// Who answers a client while a path moves: his side is his own, whatever happens around him.
import { Agent } from 'node:http'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { bucketOf } from '../../gateway/rollout/bucket.ts'
import { signChoice } from '../../gateway/rollout/testers.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startOrigin, startScriptedOrigin } from '../harness/origin.ts'
import { places } from '../harness/places.ts'
import { exchangeBytes } from '../harness/wire.ts'
import { ask, identityIn, newStateDir, type Sides, session, splitKey, startBetween, startSides } from './sides.ts'

let sides: Sides

beforeAll(async () => {
  sides = await startSides()
})
afterAll(() => sides.close())

function yaml(move: string, more = ''): string {
  return `${sides.yaml}
sessionCookie: SESSION
routes:
  - { name: search, match: { path: /search/*, methods: [GET] }, move: { to: new, ${move} } }
${more}`
}

async function sideOf(gateway: TestGateway, fields: Record<string, string> = {}, path = '/search/x'): Promise<string> {
  return (await ask(gateway, path, { fields })).side
}

const inside = identityIn('search', [0, 1_000])
const outside = identityIn('search', [1_000, 10_000])

describe('who answers', () => {
  test.each([
    ['stage: legacy', 'old', 'old', 'old'],
    ['stage: shadow', 'old', 'old', 'old'],
    ['stage: canary, share: 0%', 'old', 'old', 'old'],
    ['stage: canary, share: 10%', 'new', 'old', 'old'],
    ['stage: canary, share: 100%', 'new', 'new', 'old'],
    ['stage: live, holdback: 50%', 'new', 'old', 'new'],
    ['stage: live', 'new', 'new', 'new'],
    ['stage: final', 'new', 'new', 'new'],
  ])(
    'at %s: %s for a client of the first tenth, %s for one of the last, %s for one that nothing tells apart',
    async (...row) => {
      const [move, first, last, unknown] = row
      const gateway = await startBetween(yaml(move))
      const late = session(identityIn('search', [9_000, 10_000]))
      expect([await sideOf(gateway, session(inside)), await sideOf(gateway, late), await sideOf(gateway)]).toEqual([
        first,
        last,
        unknown,
      ])
    },
  )

  test('reads and writes of a path may stand at different stages', async () => {
    const writing = '  - { name: writing, match: { path: /search/*, methods: [POST] }, move: { to: new } }\n'
    const gateway = await startBetween(yaml('stage: live', writing))
    expect((await ask(gateway, '/search/x', { method: 'POST' })).side).toBe('old')
    expect((await ask(gateway, '/search/x')).side).toBe('new')
  })

  test('an upgrade goes to the side of its client', async () => {
    const sockets = [sides.old, sides.new].map((side) => new WebSocketServer({ server: side.server }))
    for (const [i, server] of sockets.entries())
      server.on('connection', (client) => client.send(i === 0 ? 'old' : 'new'))
    const gateway = await startBetween(yaml('stage: canary, share: 10%'))
    const told = (identity: string) =>
      new Promise<string>((resolve, reject) => {
        const url = `${gateway.url.replace('http', 'ws')}/search/live`
        const socket = new WebSocket(url, { headers: session(identity) })
        socket.once('message', (message) => resolve(String(message)))
        socket.once('error', reject)
        socket.once('message', () => socket.terminate())
      })
    expect([await told(inside), await told(outside)]).toEqual(['new', 'old'])
  })
})

describe('a client is told from others', () => {
  test('by a field', async () => {
    const gateway = await startBetween(yaml('stage: canary, share: 10%, stickyBy: { field: X-User }'))
    expect(await sideOf(gateway, { 'x-user': inside, ...session(outside) })).toBe('new')
    expect(await sideOf(gateway, { 'x-user': outside, ...session(inside) })).toBe('old')
  })

  test('by its address, whatever else it sends', async () => {
    const bucket = bucketOf(splitKey, 'search', '127.0.0.1')
    const share = (buckets: number) => yaml(`stage: canary, share: ${buckets / 100}%, stickyBy: address`)
    const gateway = await startBetween(share(bucket))
    const asked = () =>
      Promise.all([sideOf(gateway), sideOf(gateway, session(inside)), sideOf(gateway, session(outside))])
    expect(await asked()).toEqual(['old', 'old', 'old'])
    await gateway.rewrite(share(bucket + 1))
    expect(await asked()).toEqual(['new', 'new', 'new'])
  })
})

describe('under affinity', () => {
  const affinity = 'stage: canary, share: 50%, stickyBy: affinity'
  const given = /^banyan=([\w-]{22}); Path=\/; Max-Age=31536000; HttpOnly; SameSite=Lax$/

  test('a client is given a cookie once, and is with the old side until then', async () => {
    const gateway = await startBetween(yaml(affinity))
    const first = await ask(gateway, '/search/x')
    expect(first).toMatchObject({ side: 'old', cookies: [expect.stringMatching(given)] })
    const [, value = ''] = given.exec(first.cookies[0] ?? '') ?? []
    expect((await ask(gateway, '/search/x', { fields: { Cookie: `banyan=${value}` } })).cookies).toEqual([])
    expect((await ask(gateway, '/elsewhere')).cookies).toEqual([])
    expect((await ask(gateway, '/search/x')).cookies[0]).not.toContain(value)
  })

  test('neither a login, a new session, a new connection nor a restart flips anybody', async () => {
    const stateDir = await newStateDir()
    const clients = Array.from({ length: 40 }, (_, i) => identityIn('search', [0, 10_000], i))
    const sidesOf = async (gateway: TestGateway, cookies: (client: string, i: number) => string) =>
      Promise.all(clients.map((client, i) => sideOf(gateway, { Cookie: cookies(client, i) })))
    const first = await startBetween(yaml(affinity), stateDir)
    const before = await sidesOf(first, (client) => `banyan=${client}`)
    expect(new Set(before)).toEqual(new Set(['old', 'new']))
    expect(await sidesOf(first, (client, i) => `SESSION=s${i}; banyan=${client}`)).toEqual(before)
    expect(await sidesOf(first, (client, i) => `banyan=${client}; SESSION=t${i}; user=u`)).toEqual(before)
    await first.close()
    const second = await startBetween(yaml(affinity), stateDir)
    expect(await sidesOf(second, (client) => `banyan=${client}`)).toEqual(before)
    const renamed = yaml(affinity).replace('name: search', 'name: finder, was: search')
    await second.rewrite(renamed)
    expect(await sidesOf(second, (client) => `banyan=${client}`)).toEqual(before)
  })
})

test('routes of a group move together: no client is half on the new side', async () => {
  const gateway = await startBetween(`${sides.yaml}
groups: { catalog: { stage: canary, share: 50%, stickyBy: { cookie: SESSION } } }
routes:
  - { name: list, group: catalog, match: { path: /items, methods: [GET] }, move: { to: new } }
  - { name: item, group: catalog, match: { path: /items/:id, methods: [GET] }, move: { to: new } }
  - name: lone
    match: { path: /lone, methods: [GET] }
    move: { to: new, stage: canary, share: 50%, stickyBy: { cookie: SESSION } }
`)
  const clients = Array.from({ length: 40 }, (_, i) => session(`client${i}`))
  const sidesAt = (path: string) => Promise.all(clients.map((client) => sideOf(gateway, client, path)))
  const lists = await sidesAt('/items')
  expect(new Set(lists)).toEqual(new Set(['old', 'new']))
  expect(await sidesAt('/items/7')).toEqual(lists)
  // A move of its own has buckets of its own.
  expect(await sidesAt('/lone')).not.toEqual(lists)
})

describe("a tester's word", () => {
  const key = 'the key of these testers'
  const testers = `stickyBy: { cookie: SESSION }, testers: { cookie: tester, key: ${key} }`
  const word = (side: 'old' | 'new', rollout = 'search', untilMs = Date.now() + 60_000) => ({
    Cookie: `tester=${signChoice(key, rollout, { name: 'ann', side, untilMs })}; SESSION=${outside}`,
  })

  test('chooses a side before a canary, in it and in live, but not of what is final', async () => {
    const gateway = await startBetween(yaml(`stage: shadow, ${testers}`))
    expect([await sideOf(gateway, word('new')), await sideOf(gateway, session(outside))]).toEqual(['new', 'old'])
    await gateway.rewrite(yaml(`stage: canary, share: 10%, ${testers}`))
    expect([await sideOf(gateway, word('new')), await sideOf(gateway, session(outside))]).toEqual(['new', 'old'])
    await gateway.rewrite(yaml(`stage: live, ${testers}`))
    expect([await sideOf(gateway, word('old')), await sideOf(gateway, session(outside))]).toEqual(['old', 'new'])
    await gateway.rewrite(yaml(`stage: final, ${testers}`))
    expect(await sideOf(gateway, word('old'))).toBe('new')
  })

  test('is nothing when it is stale, forged or for another move', async () => {
    const gateway = await startBetween(yaml(`stage: shadow, ${testers}`))
    expect(await sideOf(gateway, word('new', 'search', Date.now() - 1_000))).toBe('old')
    expect(await sideOf(gateway, word('new', 'orders'))).toBe('old')
    expect(await sideOf(gateway, { Cookie: `${word('old').Cookie.replace('~old~', '~new~')}` })).toBe('old')
  })
})

test('a share that is raised and lowered under load flips nobody outside what was added or taken away', async () => {
  const canary = (percent: number) => yaml(`stage: canary, share: ${percent}%`)
  const zones = [
    { range: [0, 500], expected: ['new', 'old'] },
    { range: [500, 1_000], expected: ['old', 'new', 'old'] },
    { range: [1_000, 2_000], expected: ['old', 'new', 'old'] },
    { range: [2_000, 10_000], expected: ['old'] },
  ] as const
  const gateway = await startBetween(canary(5))
  const clients = zones.flatMap(({ range, expected }) =>
    [0, 1, 2, 3].map((nth) => ({ expected, client: startClient(gateway, identityIn('search', range, nth)) })),
  )
  const allHaveAsked = () => Promise.all(clients.map(({ client }) => client.hasAsked(3)))
  await allHaveAsked()
  for (const percent of [20, 10, 0]) {
    await gateway.rewrite(canary(percent))
    await allHaveAsked()
  }
  for (const { client, expected } of clients) expect(await client.stop()).toEqual(expected)
  expect(clients).toHaveLength(16)
})

/** Asks again and again over one connection. Resolves at its end with the sides that answered, each as long as it did. */
function startClient(gateway: TestGateway, identity: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const seen: string[] = []
  let waiting: { count: number; tell: () => void }[] = []
  let isOver = false
  async function run(): Promise<string[]> {
    while (!isOver) {
      const { side } = await ask(gateway, '/search/x', { fields: session(identity), agent })
      if (seen.at(-1) !== side) seen.push(side)
      for (const one of waiting) one.count -= 1
      for (const one of waiting.filter(({ count }) => count === 0)) one.tell()
      waiting = waiting.filter(({ count }) => count > 0)
    }
    agent.destroy()
    return seen
  }
  const running = run()
  return {
    /** So many times from now on. */
    hasAsked: (count: number) => new Promise<void>((tell) => waiting.push({ count, tell })),
    stop() {
      isOver = true
      return running
    },
  }
}

describe('a rollback', () => {
  async function rollBack({ adminUrl }: TestGateway, key: string): Promise<number> {
    const response = await fetch(`${adminUrl}/rollouts/${key}/rollback`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Banyan-Admin': 'ann' },
      body: JSON.stringify({ reason: 'too many failures' }),
    })
    return response.status
  }

  test('sends the very next request to the old side, testers too, and an edit of something else changes nothing', async () => {
    const key = 'the key of these testers'
    const move = `stage: canary, share: 10%, testers: { cookie: tester, key: ${key} }`
    const stateDir = await newStateDir()
    const gateway = await startBetween(yaml(move), stateDir)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const tester = `tester=${signChoice(key, 'search', { name: 'ann', side: 'new', untilMs: Date.now() + 60_000 })}`
    const keptOpen = { fields: session(inside), agent }
    expect((await ask(gateway, '/search/x', keptOpen)).side).toBe('new')
    expect(await rollBack(gateway, 'search')).toBe(200)
    expect((await ask(gateway, '/search/x', keptOpen)).side).toBe('old')
    expect(await sideOf(gateway, { Cookie: tester })).toBe('old')
    await gateway.rewrite(yaml(`${move}, closeStreams: 5s`))
    expect(await sideOf(gateway, session(inside))).toBe('old')
    await gateway.close()
    const restarted = await startBetween(yaml(move), stateDir)
    expect(await sideOf(restarted, session(inside))).toBe('old')
    await restarted.rewrite(yaml('stage: legacy'))
    await restarted.rewrite(yaml(move))
    expect(await sideOf(restarted, session(inside))).toBe('new')
    agent.destroy()
  })
})

const askBytes = (more = '') => `GET /search/1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${more}\r\n`

test('early hints of the new side log nobody in, and pass for the rest', async () => {
  const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nSet-Cookie: SESSION=new\r\n\r\n'
  const origin = await startScriptedOrigin((socket) => {
    socket.write(`${early}HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew`)
  })
  onTestFinished(origin.close)
  const gateway = await startBetween(yaml('stage: live').replace(sides.new.url, origin.url))
  const { received } = await exchangeBytes(gateway.port, askBytes())
  expect(received).toContain('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK')
})

describe('a client that marks its own request as a leg', () => {
  const trusting = places.replace('port: 0', 'port: 0, trustedProxies: [127.0.0.1]')

  test.each([
    ['is not believed by the new side', 'live', places, []],
    ['is, when it is a proxy that is trusted', 'live', trusting, ['?1', 'shadow']],
    ['sends to the old side what it sends', 'legacy', places, ['?1', 'shadow']],
  ])('%s', async (_, stage, header, expected) => {
    const seen: (string | string[] | undefined)[] = []
    const side = await startOrigin(({ headers }, response) => {
      seen.push(headers.shadow, headers['banyan-role'])
      response.end()
    })
    onTestFinished(side.close)
    const text = yaml(`stage: ${stage}`).replace(sides.new.url, side.url).replace(sides.old.url, side.url)
    const gateway = await startTestGateway(text, header)
    onTestFinished(gateway.close)
    await exchangeBytes(gateway.port, askBytes('SHADOW: ?1\r\nBanyan-Role: shadow\r\n'))
    expect(seen.filter((value) => value !== undefined)).toEqual(expected)
  })
})
