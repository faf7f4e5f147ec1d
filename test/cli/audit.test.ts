// The audit, verified by the command on real files; and heads that show what is cut off.
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { startOrigin } from '../harness/origin.ts'
import { newFolder } from './banyan.ts'

/** What a gateway has written that has ended, and the heads that it told while it ran. */
async function written() {
  const folder = await newFolder()
  const origin = await startOrigin((_, response) => response.end('ok'))
  onTestFinished(origin.close)
  const stateDir = join(folder.path, 'var')
  const gateway = await startTestGateway(`upstreams: { old: { url: "${origin.url}" } }\nunmatched: old\n`, undefined, {
    env: { BANYAN_STATE_DIR: stateDir },
  })
  onTestFinished(gateway.close)
  await fetch(`${gateway.adminUrl}/reload`, { method: 'POST', headers: { 'Banyan-Admin': '1' } })
  const audit = join(stateDir, 'audit')
  const [name = ''] = await readdir(audit)
  const file = join(audit, name)
  while (!(await readFile(file, 'utf8')).includes('"kind":"admin"')) await gateway.metric('banyan_build_info')
  const heads = await folder.banyan(['audit', 'heads', '--json', '--admin', gateway.adminUrl])
  expect(heads.code).toBe(0)
  const headsFile = await folder.write('heads.json', heads.out)
  const shown = await folder.banyan(['audit', 'heads', '--admin', gateway.adminUrl])
  expect(shown.out).toMatch(/^WRITER +RECORDS +HEAD\n\S+ +3 +[0-9a-f]{64}\n$/)
  await gateway.gateway.close()
  const verify = (...more: string[]) => folder.banyan(['audit', 'verify', '--dir', stateDir, ...more])
  return { folder, stateDir, file, writer: name.replace('.jsonl', ''), headsFile, verify }
}

test('what was written is whole, and without heads the command says what it cannot know', async () => {
  const { verify, headsFile, folder, stateDir } = await written()
  const alone = await verify()
  expect(alone).toMatchObject({ code: 0, err: '' })
  expect(alone.out).toContain('1 chain is whole; whether the newest end was cut off shows against --heads alone')
  expect((await verify('--heads', headsFile)).out).toContain('1 chain is whole, up to the ends that were noted')
  const json = await verify('--json')
  expect(JSON.parse(json.out)).toMatchObject({ ok: true, stateDir, writers: [{ records: 3 }] })
  // As the configuration says where it is.
  const config = await folder.write('routes.yaml', 'stateDir: ./var\n')
  expect(await folder.banyan(['audit', 'verify', '--config', config])).toMatchObject({ code: 0 })
})

test('the first link that is broken is named, with what is wrong with it', async () => {
  const { verify, file, writer } = await written()
  await writeFile(file, (await readFile(file, 'utf8')).replace('"by":"file"', '"by":"nobody"'))
  const broken = await verify()
  expect(broken.code).toBe(1)
  expect(broken.out).toMatch(
    new RegExp(`^${writer} +1 +[0-9a-f]{12} +broken at record 2: its bytes have been changed$`, 'm'),
  )
  expect(broken.out).toContain('1 of 1 chains are not what was written')
  expect(JSON.parse((await verify('--json')).out)).toMatchObject({ ok: false, writers: [{ brokenAt: 2 }] })
})

test('an end that is cut off, or a whole chain that is gone, shows against the heads', async () => {
  const { verify, file, headsFile } = await written()
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  await writeFile(file, `${lines[0]}\n`)
  expect(await verify()).toMatchObject({ code: 0 })
  const cut = await verify('--heads', headsFile)
  expect(cut.code).toBe(1)
  expect(cut.out).toContain('broken at record 2: its end is cut off: the head noted elsewhere names its record 3')
  await rm(file)
  const gone = await verify('--heads', headsFile)
  expect([gone.code, gone.out]).toEqual([1, expect.stringContaining('its file is missing')])
})

test('a record that was never finished breaks nothing, and is told', async () => {
  const { verify, file } = await written()
  await appendFile(file, '{"seq":4,"wri')
  expect(await verify()).toMatchObject({
    code: 0,
    out: expect.stringContaining('whole; then 13 bytes of a record that was never finished'),
  })
})

test('a folder without an audit is not taken for a sound one', async () => {
  const folder = await newFolder()
  const nothing = await folder.banyan(['audit', 'verify', '--dir', folder.path])
  expect([nothing.code, nothing.err]).toEqual([1, `there is no audit in ${folder.path}\n`])
  await folder.write('audit', 'a file in its place')
  const unreadable = await folder.banyan(['audit', 'verify', '--dir', folder.path, '--json'])
  expect(unreadable.code).toBe(1)
  for (const [args, message] of [
    [['audit', 'prove'], 'banyan audit takes verify or heads, not prove'],
    [['audit', 'verify', '--heads', 'none.json'], '--heads cannot be read'],
    [['audit', 'verify', '--heads', 'audit'], 'audit has no heads: write it with banyan audit heads --json'],
  ] as const)
    expect(await folder.banyan(args)).toMatchObject({ code: 2, err: expect.stringContaining(message) })
})
