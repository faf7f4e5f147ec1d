// The commands that move rollouts, as processes of their own, at a gateway that serves.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { movingSite, whoAnswers } from '../harness/moves.ts'
import { places } from '../harness/places.ts'
import { type Ended, newFolder } from './banyan.ts'

const script = new URL('../../bin/banyan.js', import.meta.url).pathname
const folder = await newFolder()
const { routes, start: startGateway } = movingSite()

async function start(yaml: string) {
  const gateway = await startGateway(yaml)
  const file = join(gateway.folder, 'routes.yaml')
  const banyan = (...args: string[]): Promise<Ended> =>
    folder.banyan([...args, '--admin', gateway.adminUrl, '--config', file], { env: { USER: 'ada' } })
  return { gateway, file, banyan }
}

test('rollback, status, ack and history: a bad evening from end to end', async () => {
  const { gateway, banyan, file } = await start(routes('stage: live'))
  const before = await readFile(file, 'utf8')
  const back = await banyan('rollback', 'search', '--reason', 'it lies')
  expect([back.code, back.err]).toEqual([0, ''])
  expect(back.out).toContain('search is rolled back to legacy; the file says live')
  expect(await whoAnswers(gateway, '/search')).toBe('old')
  expect(await readFile(file, 'utf8')).toBe(before)
  const status = await banyan('status')
  expect(status.out).toMatch(/^search +GET \/search +legacy \(rollback; file: live\) +old \(old → new\)/m)
  expect(status.out).toContain('hint: "search" was rolled back by cli:ada')
  const ack = await banyan('ack', 'search', '--json')
  expect(JSON.parse(ack.out)).toMatchObject({ key: 'search', effective: { stage: 'live', why: 'file' } })
  const history = await banyan('status', '--since', '1h')
  expect(history.out).toMatch(/rollback +search +live +legacy +cli:ada +it lies$/m)
  expect(history.out).toMatch(/ack +search +legacy +live +cli:ada/m)
})

test('a rollback that leaves writes behind says how many, and goes on only with a word', async () => {
  const { gateway, banyan } = await start(routes('stage: live'))
  await whoAnswers(gateway, '/orders', { method: 'POST', body: 'one' })
  const refused = await banyan('rollback', '--all')
  expect(refused.code).toBe(1)
  expect(refused.out).toMatch(/^search +rolled back$/m)
  expect(refused.out).toMatch(/^orders +NOT rolled back +.*has taken 1 writes.*--accept-loss/m)
  expect(await whoAnswers(gateway, '/orders')).toBe('new')
  const done = await banyan('rollback', 'orders', '--accept-loss')
  expect([done.code, done.out]).toEqual([0, expect.stringContaining('1 writes are at the new side')])
  expect(await whoAnswers(gateway, '/orders')).toBe('old')
})

test('a promotion moves the gateway, then its file, and leaves the comments alone', async () => {
  const { gateway, banyan, file } = await start(routes('stage: canary, share: 1%'))
  const refused = await banyan('promote', 'search', '--to', '100%')
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('nothing speaks for canary 100% yet')])
  expect(await readFile(file, 'utf8')).toContain('share: 1% ')
  const done = await banyan('promote', 'search', '--to', '100%', '--force', '--reason', 'seen it')
  expect([done.code, done.out]).toEqual([0, `search: canary 1% → canary 100%\n${file} says so too, revision 2\n`])
  expect(await readFile(file, 'utf8')).toBe(places + routes('stage: canary, share: 100%'))
  expect(await whoAnswers(gateway, '/search', { headers: { cookie: 'SESSION=1' } })).toBe('new')
  const status = await (await fetch(`${gateway.adminUrl}/rollouts/search`)).json()
  expect(status).toMatchObject({ declared: { share: '100%' }, effective: { share: '100%', why: 'file' } })
})

test('where the file is not to be written, the patch is printed and the promotion holds by itself', async () => {
  const { gateway, banyan, file } = await start(routes('stage: legacy'))
  const done = await banyan('promote', 'search', '--print')
  expect(done.code).toBe(0)
  expect(done.out).toMatch(/^search: legacy → shadow$/m)
  expect(done.out).toMatch(/^-.*stage: legacy.*\n\+.*stage: shadow/m)
  expect(await readFile(file, 'utf8')).toContain('stage: legacy')
  const view = await (await fetch(`${gateway.adminUrl}/rollouts/search`)).json()
  expect(view).toMatchObject({ declared: { stage: 'legacy' }, effective: { stage: 'shadow', why: 'advance' } })
})

test('a file that the gateway would refuse, or that is not its own, is not touched, and nothing moves', async () => {
  const { gateway, file } = await start(routes('stage: legacy'))
  const broken = `${await readFile(file, 'utf8')}    nonsense: 1\n`
  const other = join(folder.path, 'broken.yaml')
  await writeFile(other, broken)
  const args = ['promote', 'search', '--admin', gateway.adminUrl, '--config', other]
  const refused = await folder.banyan(args)
  expect(refused.code).toBe(1)
  expect(refused.err).toContain('unknown key "nonsense"')
  expect(refused.err).toContain('so nothing was done')
  expect(await readFile(other, 'utf8')).toBe(broken)
  const another = (await readFile(file, 'utf8')).replace('path: /orders', 'path: /order')
  await writeFile(other, another)
  const elsewhere = await folder.banyan(args)
  expect([elsewhere.code, elsewhere.err]).toEqual([1, expect.stringContaining('match.path of orders')])
  expect(await readFile(other, 'utf8')).toBe(another)
  const view = await (await fetch(`${gateway.adminUrl}/rollouts/search`)).json()
  expect(view).toMatchObject({ effective: { stage: 'legacy', why: 'file' } })
  // A script hears of it too.
  const inJson = async (text: string) => {
    await writeFile(other, text)
    const { code, out } = await folder.banyan([...args, '--json'])
    return [code, JSON.parse(out)]
  }
  expect(await inJson(another)).toEqual([
    1,
    expect.objectContaining({ detail: expect.stringContaining('match.path of orders') }),
  ])
  expect(await inJson(broken)).toEqual([
    1,
    {
      title: 'Nothing was done.',
      detail: `${other} with this edit would be refused, so nothing was done`,
      problems: expect.arrayContaining([
        expect.objectContaining({ message: expect.stringContaining('unknown key "nonsense"') }),
      ]),
    },
  ])
  expect(await inJson('unmatched: old\n')).toEqual([
    1,
    expect.objectContaining({ detail: expect.stringContaining('cannot be edited') }),
  ])
})

test('a plan says what an edit would do, and whether it would be taken', async () => {
  const { gateway, banyan } = await start(routes('stage: legacy', 'stage: canary, share: 5%'))
  for (let i = 0; i < 3; i += 1) await whoAnswers(gateway, '/search')
  const edited = await folder.write('edited.yaml', places + routes('stage: live', 'stage: canary, share: 5%'))
  const taken = await banyan('plan', edited)
  expect([taken.code, taken.err]).toEqual([0, ''])
  expect(taken.out).toMatch(/^~ +search +move\.stage$/m)
  expect(taken.out).toMatch(/^search: legacy → live$/m)
  expect(taken.out).toMatch(/requests +\d+\/min now; about \d+\/min move to the new side/)
  expect(taken.out).toMatch(/rollback +would return \d+\/min to old/)
  expect(taken.out).toContain('warning: "search" skips a stage: from legacy to live')
  expect(taken.out).toContain('the gateway would take this file in place of revision 1')
  const broken = await folder.write('broken.yaml', `${places}upstraems: {}\n`)
  const refused = await banyan('plan', broken)
  expect([refused.code, refused.out]).toEqual([1, expect.stringContaining('did you mean "upstreams"')])
})

test('a watched status is a new picture each second, and says so when the gateway is away', async () => {
  const { gateway } = await start(routes('stage: live'))
  await whoAnswers(gateway, '/search')
  const child = spawn(process.execPath, [script, 'status', '--watch', '--json', '--admin', gateway.adminUrl])
  const lines = createInterface({ input: child.stdout })
  const [first] = await once(lines, 'line')
  expect(JSON.parse(first).rollouts[0]).toMatchObject({ key: 'search', traffic: { new: { errorShare: 0 } } })
  await gateway.gateway.close()
  for await (const line of lines) if (line.includes('unreachable')) break
  child.kill()
  await once(child, 'close')
})

test('a route that was renamed is watched under the name that it has now, and under the one of its state', async () => {
  const { gateway, banyan } = await start(routes('stage: live'))
  await gateway.rewrite(routes('stage: live').replace('name: search', 'name: finder\n    was: search'))
  const child = spawn(process.execPath, [script, 'status', '--watch', '--admin', gateway.adminUrl])
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    if (line.startsWith('orders')) break
  }
  child.kill()
  await once(child, 'close')
  expect(lines.at(-2)).toMatch(/^finder \(was search\) +live +live +file /)
  expect((await banyan('pause', 'finder', '--reason', 'wait')).code).toBe(0)
})

test('a slip of the pen is told: an unknown route, an order without its object, no gateway', async () => {
  const { banyan } = await start(routes('stage: live'))
  const [unknown, nothing, both, away] = await Promise.all([
    banyan('pause', 'serach'),
    banyan('rollback'),
    banyan('rollback', 'search', '--all'),
    folder.banyan(['resume', 'search', '--admin', 'http://127.0.0.1:1']),
  ])
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('those that do are search, orders')])
  expect([nothing.code, both.code]).toEqual([2, 2])
  expect([away.code, away.err]).toEqual([3, expect.stringContaining('no gateway answers at http://127.0.0.1:1')])
})

test('a script is told of a refusal in JSON, whatever it has asked for', async () => {
  const { banyan } = await start(routes('stage: canary, share: 5%'))
  const refused = await Promise.all([
    banyan('promote', 'search', '--json'),
    banyan('promote', 'search', '--to', 'canary', '--json'),
    banyan('ack', 'search', '--json'),
  ])
  expect(refused.map(({ code, out }) => [code, JSON.parse(out).detail])).toEqual([
    [1, expect.stringContaining('nothing speaks for live yet')],
    [1, 'a canary has a share, so say that: --to 5%'],
    [1, '"search" is not rolled back: nothing is to be acknowledged'],
  ])
})
