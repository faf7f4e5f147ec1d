// Every secret that there is, sent in every way there is, to a gateway with everything on: none of them is in anything that was
// written or told afterwards, but where it is a secret by purpose.
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { filesIn, mayHoldSecrets, pagesOf, secretsIn, type Written } from '../harness/planted.ts'
import { until } from './caching.ts'
import { ask, malformed, mistakes, order, type Planting, startPlanting, waysIn } from './planting.ts'
import { splitKey, startBetween } from './sides.ts'

interface Issued {
  readonly key: string
  readonly id: string
}

async function issue(site: Planting, name: string, place = 'keys', about: object = { owner: 'acme' }): Promise<Issued> {
  const { status, text } = await order(site, place, site.secrets.rootToken ?? '', about)
  expect(status, text).toBe(201)
  const { key, id } = JSON.parse(text) as Issued
  site.secrets[name] = key
  return { key, id }
}

/** What is in there of the secrets that were planted, by name; and whatever else looks like one. */
function leaks({ secrets, answerBody }: Planting, written: readonly Written[], mayHave: readonly string[] = []) {
  const named = Object.entries(secrets).filter(([, value]) => value !== '' && !mayHave.includes(value))
  return written.flatMap(({ name, text }) => {
    const rest = mayHave.reduce((left, value) => left.replaceAll(value, ''), text)
    const body = rest.includes(answerBody) ? ['an answer'] : []
    const known = named.filter(([, value]) => rest.includes(value)).map(([what]) => what)
    return [...body, ...known, ...secretsIn(rest)].map((what) => `${name}: ${what}`)
  })
}

/** The clients' side: all that knows them or does not, on all that can go right or wrong. */
async function visit(site: Planting): Promise<readonly Written[]> {
  const { jwt = '', sharedJwt = '', session = '', key = '' } = site.secrets
  const good = [
    ...[jwt, sharedJwt, key].map((token) => ({ Authorization: `Bearer ${token}` })),
    ...[{ 'X-Api-Key': key }, { Cookie: `theme=x; SESSION=${session}` }],
  ]
  const told: Written[] = []
  for (const fields of good) {
    for (const path of ['/mine/x', '/told/x', '/cached/x', '/cached/x', '/ai/x', '/paired/x', '/moved/x', '/live/x'])
      told.push(await answered(site, path, 200, { fields }))
  }
  for (const fields of good) {
    for (const path of ['mine/cut', 'mine/garbage', 'told/half', 'mine/503', 'live/503', 'live/cut', 'few/x', 'few/x'])
      told.push(await ask(site, `/${path}?q=${site.secrets.queryValue}`, { fields }))
  }
  const body = site.secrets.body ?? ''
  for (const path of ['/mine/x', '/moved/x', '/live/cut', '/nowhere'])
    told.push(await ask(site, path, { method: 'POST', body, fields: { Cookie: `a=${site.secrets.cookie}` } }))
  return told
}

async function answered(site: Planting, path: string, status: number, how: Parameters<typeof ask>[2]) {
  const answer = await ask(site, path, how)
  expect([path, answer.status], answer.text).toEqual([path, status])
  return answer
}

/** Whoever should not come in, with what should not open anything; each secret of the gateway's own among it. */
async function intrude(site: Planting): Promise<readonly Written[]> {
  const told: Written[] = []
  for (const secret of Object.values(site.secrets)) {
    const visits = waysIn(secret).flatMap(({ query = '', ...how }) =>
      ['/mine/x', '/moved/503'].map((path) => ask(site, path + query, how)),
    )
    told.push(...(await Promise.all(visits)))
  }
  for (const secret of [site.secrets.jwt ?? '', site.secrets.key ?? '', site.secrets.session ?? '']) {
    told.push(...(await malformed(site, secret)))
  }
  return told
}

/** The operators' side: with good tokens, with wrong ones, and with a secret where a name should be. */
async function operate(site: Planting, { key, id }: Issued): Promise<readonly Written[]> {
  const { rootToken = '', readerToken = '', wrongAdminToken = '', jwt = '' } = site.secrets
  const reads = ['status', 'history', 'metrics', 'rollouts', 'keys', `keys/${id}/uses`, 'audit/heads', 'cache/stats']
  const looks = ['diff/moved', 'upstreams/old/x', 'upstreams/ai/x', `keys/${key}/uses`, `${key}?${key}`]
  const told: Written[] = []
  for (const token of [rootToken, readerToken, wrongAdminToken, key, jwt]) {
    for (const place of [...reads, ...looks]) told.push(await order(site, place, token))
    for (const place of ['rollback', 'plan', 'keys', `keys/${key}/rotate`, `rollouts/${key}/pause`, 'cache/purge'])
      told.push(await order(site, place, token, { reason: key, unknown: jwt }))
    told.push(await order(site, `keys/${key}/revoke`, token, { reason: 'it leaked' }))
    told.push(await order(site, 'keys/notices', token, [{ token: key }]))
  }
  return told
}

async function command(site: Planting, { key, id }: Issued): Promise<readonly Written[]> {
  const { folder, gateway, secrets, env } = site
  const config = ['--config', join(gateway.folder, 'routes.yaml')]
  const admin = ['--admin', gateway.adminUrl]
  const calls = [
    ...[
      ['status', ...admin],
      ['history', ...admin],
      ['plan', ...config, ...admin],
      ['diff', 'moved', ...admin],
    ],
    ...[
      ['keys', 'list', ...admin],
      ['keys', 'who', id, ...admin],
      ['keys', 'who', key, ...admin],
    ],
    ...[
      ['keys', 'revoke', key, '--reason', 'x', ...admin],
      ['keys', 'leak', secrets.revokedKey ?? '', ...admin],
    ],
    ...[
      ['rollback', key, ...admin],
      ['promote', key, ...admin],
      ['cache', 'purge', '--tag', 'a', ...admin],
    ],
    ...[
      ['status', '--admin', `http://u:${secrets.wrongAdminToken}@127.0.0.1:9`],
      ['check', ...config],
    ],
    ...[['explain', 'GET', `https://u:${secrets.queryValue}@a.example/mine/x?q=${secrets.queryValue}`, ...config]],
    ['audit', 'verify', ...config],
  ]
  const told: Written[] = []
  const run = async (args: readonly string[], BANYAN_ADMIN_TOKEN = '') => {
    const { out, err } = await folder.banyan(args, { env: { ...env, BANYAN_ADMIN_TOKEN } })
    told.push({ name: `banyan ${args[0]} ${args[1]}`, text: out + err })
  }
  for (const args of calls) await run(args, secrets.rootToken)
  for (const args of [
    ['status', ...admin],
    ['keys', 'revoke', key, '--reason', 'x', ...admin],
  ])
    await run(args, secrets.wrongAdminToken)
  return told
}

let site: Planting
let issued: Issued
/** All that clients, operators and whoever runs the command were answered. */
let answers: readonly Written[]
/** What was told on the last look, and what lies on the disk after it. */
let pages: readonly Written[]

beforeAll(async () => {
  site = await startPlanting()
  const old = await issue(site, 'rotatedKey')
  issued = await issue(site, 'key', `keys/${old.id}/rotate`, {})
  const visited = await visit(site)
  await comparedAndCached(site)
  const revoked = await issue(site, 'revokedKey')
  await order(site, `keys/${revoked.id}/revoke`, site.secrets.rootToken ?? '', { reason: 'it leaked' })
  const tester = [
    'tester',
    'ann',
    '--rollout',
    'moved',
    '--side',
    'new',
    '--config',
    join(site.gateway.folder, 'routes.yaml'),
  ]
  const made = JSON.parse((await site.folder.banyan([...tester, '--json'], { env: site.env })).out) as { word: string }
  site.secrets.testerWord = made.word
  const chosen = await ask(site, '/moved/x', { fields: { Cookie: `tester=${made.word}` } })
  for (const { 'banyan-token': token } of site.heads) if (token) site.secrets.internalToken = String(token)
  const intruded = await intrude(site)
  const mistaken = await mistakes(site, site.secrets.wrongAdminToken ?? '')
  await breakGlass(site, issued.key)
  const operated = await operate(site, issued)
  const commanded = await command(site, issued)
  answers = [...visited, chosen, ...intruded, ...mistaken, ...operated, ...commanded]
  pages = await pagesOf(site.gateway.adminUrl, { Authorization: `Bearer ${site.secrets.rootToken}` })
  // It is the operator's own file.
  await rm(join(site.stateDir, 'break-glass.yaml'))
  await site.gateway.close()
}, 600_000)

/** The examples of comparisons and the stock in Redis are there, else nothing could be found in them. */
async function comparedAndCached(site: Planting): Promise<void> {
  await until(async () => /"examples":\[\{/.test((await order(site, 'diff/moved', site.secrets.rootToken ?? '')).text))
  await until(async () => (site.monitors[1]?.received() ?? '').includes(site.answerBody))
}

/** A key where its name should be. */
async function breakGlass(site: Planting, key: string): Promise<void> {
  await writeFile(join(site.stateDir, 'break-glass.yaml'), `denyKeys: [${key}]\nlegacy: [${key}, moved]\n`)
  await site.gateway.line(({ msg }) => String(msg).startsWith('break-glass.yaml'))
}

test('the gateway did what secrets are for: its upstreams were shown them, and nobody else’s', () => {
  const seen = site.heads.map(({ authorization }) => authorization)
  const { upstreamNew, upstreamOld, basicPassword, internalToken } = site.secrets
  const basic = `Basic ${Buffer.from(`banyan:${basicPassword}`).toString('base64')}`
  for (const shown of [`Bearer ${upstreamNew}`, `Bearer ${upstreamOld}`, basic]) expect(seen).toContain(shown)
  expect(internalToken).toMatch(/^eyJ/)
})

test('no answer of the gateway’s own bears one, nor does the command', () => {
  const { answerBody, secrets } = site
  // The origins' own, to whom they were meant for.
  expect(leaks(site, answers, [answerBody, secrets.setCookie ?? ''])).toEqual([])
})

test('no page for operators bears one', () => {
  expect(pages.map(({ text }) => text.length > 100)).toEqual([true, true, true, true])
  expect(leaks(site, pages)).toEqual([])
})

test('no log, no access log and no file of state bears one, but those that are secrets by purpose', async () => {
  const files = [...(await filesIn(site.stateDir)), ...(await accessLog())]
  const names = files.map(({ name }) => name.replace(`${site.stateDir}/`, ''))
  expect(names).toContain('lastAccepted.yaml')
  expect(names).toContain('rollouts.json')
  expect(names.some((name) => name.startsWith('audit/'))).toBe(true)
  expect(leaks(site, files)).toEqual([])
})

async function accessLog(): Promise<readonly Written[]> {
  const name = join(site.folder.path, 'access.log')
  const text = await readFile(name, 'utf8')
  expect(text.split('\n').length).toBeGreaterThan(200)
  return [{ name, text }]
}

test('the copy of the file keeps what it takes from the environment as it stands there', async () => {
  const mirror = await readFile(join(site.stateDir, 'lastAccepted.yaml'), 'utf8')
  expect(mirror).toBe(site.yaml)
  for (const name of ['PEPPER', 'AI_NEW', 'PAIR', 'STATE_URL', 'JWT_SECRET', 'TESTERS_KEY'])
    expect(mirror).toContain(`\${${name}}`)
})

test('Redis is told of no credential, by whatever command; of answers, those that may be kept', () => {
  const [state, cache] = site.monitors.map(({ received }, i) => ({ name: `redis ${i}`, text: received() }))
  expect(state?.text).toMatch(/keys|rollout/)
  expect(cache?.text).toContain(site.answerBody)
  // By the split key all replicas divide clients alike: it is in the store of state, by purpose, and in no other.
  expect(leaks(site, state ? [state] : [], [splitKey])).toEqual([])
  const { answerBody, secrets } = site
  // An answer that sets a cookie is never kept; in bodies is what origins write.
  const bodies = ['old', 'new'].map((side) => `${secrets.setCookie}-of-${side}`)
  expect(leaks(site, cache ? [cache] : [], [answerBody, ...bodies])).toEqual([])
})

test('what is a secret by purpose is for nobody but its owner', async () => {
  const { gateway, stateDir } = await withOwnPepper()
  await gateway.close()
  for (const folder of [stateDir, site.stateDir]) {
    const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
    const secret = entries.filter(
      ({ name }) => (mayHoldSecrets.has(name) && name !== 'splitKey') || name.startsWith('keys.db'),
    )
    const modes = await Promise.all(
      secret.map(async ({ parentPath, name }) => [
        name,
        ((await stat(join(parentPath, name))).mode & 0o777).toString(8),
      ]),
    )
    expect(modes).toContainEqual(['keys.db', '600'])
    expect(modes.filter(([, mode]) => mode !== '600')).toEqual([])
  }
  const names = (await readdir(stateDir, { recursive: true })).map(String)
  for (const name of ['keys/peppers', 'keys/signing.json', 'splitKey']) expect(names).toContain(name)
  expect(((await stat(join(stateDir, 'splitKey'))).mode & 0o777).toString(8)).toBe('600')
})

/** With what it makes for itself: peppers, signing keys, and the key by which clients are divided. */
async function withOwnPepper() {
  const stateDir = join(site.folder.path, 'own')
  const gateway = await startBetween(
    `
upstreams: { old: { url: "http://127.0.0.1:9" }, new: { url: "http://127.0.0.1:9", internalToken: true } }
unmatched: old
routes: [{ name: a, match: { path: /a }, move: { to: new, stage: canary, share: 5%, stickyBy: affinity } }]
`,
    stateDir,
  )
  onTestFinished(gateway.close)
  return { gateway, stateDir }
}
