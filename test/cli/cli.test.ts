import { expect, test } from 'vitest'
import { check } from '../../gateway/cli/check.ts'
import { helpOf, parse, UsageError } from '../../gateway/cli/command.ts'
import { explain } from '../../gateway/cli/explain.ts'
import { run } from '../../gateway/cli/run.ts'
import { status } from '../../gateway/cli/status.ts'
import { why } from '../../gateway/cli/why.ts'
import { version } from '../../gateway/version.ts'
import { newFolder, routesYaml } from './banyan.ts'

const folder = await newFolder()

test('help lists the commands and what each exit code means', async () => {
  const { code, out } = await folder.banyan(['--help'])
  expect(code).toBe(0)
  for (const command of ['run', 'check', 'explain', 'status', 'why']) expect(out).toContain(`\n  ${command}`)
  for (const exit of [0, 1, 2, 3]) expect(out).toMatch(new RegExp(`^  ${exit}  \\S`, 'm'))
})

test('each command has help of its own', async () => {
  expect((await folder.banyan(['explain', '--help'])).out).toBe(`${helpOf(explain)}\n`)
  for (const command of [run, check, explain, status, why]) {
    expect(parse(command, ['-h'])).toBe('help')
    expect(helpOf(command)).toMatch(new RegExp(`^banyan ${command.name} .*\\n\\n${command.summary.slice(0, 20)}`))
    for (const option of Object.keys(command.options)) expect(helpOf(command)).toContain(`--${option}`)
    expect(helpOf(command)).toContain('Exit codes:')
  }
})

test('the version is that of the package', async () => {
  expect(await folder.banyan(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' })
})

test('a mistyped command line exits 2 and says what was probably meant', async () => {
  const cases: [string[], string][] = [
    [[], 'say what to do'],
    [['chek'], 'unknown command "chek"; did you mean "check"?'],
    [['check', '--jsno'], 'unknown option --jsno; did you mean "--json"?'],
  ]
  for (const [args, message] of cases) {
    const { code, out, err } = await folder.banyan(args)
    expect([args, code, out]).toEqual([args, 2, ''])
    expect(err).toContain(message)
  }
})

test('no argument is ignored', () => {
  const cases: [string[], string][] = [
    [['--constructor'], 'unknown option --constructor'],
    [['a', 'b'], 'banyan check takes [FILE], not a b'],
    [['--config'], '--config needs a value'],
    [['--config', '--json'], '--config needs a value'],
    [['--json=yes'], '--json takes no value'],
    [['--config', 'a', '--config', 'b'], '--config is given twice'],
  ]
  for (const [args, message] of cases) expect(() => parse(check, args)).toThrow(new UsageError(message))
  expect(() => parse(explain, ['GET'])).toThrow(new UsageError('banyan explain takes METHOD URL, not GET'))
  expect(() => parse(why, [])).toThrow(new UsageError('banyan why takes REQUEST_ID, not nothing'))
  expect(parse(why, ['--log', '-', '--', '-an-id'])).toMatchObject({ operands: ['-an-id'] })
})

test('check accepts a sound file', async () => {
  await folder.write('routes.yaml', routesYaml)
  expect(await folder.banyan(['check'])).toEqual({
    code: 0,
    out: 'routes.yaml: 3 routes, 2 upstreams, no problems\n',
    err: '',
  })
})

test('check reads the file that it is given, else that of --config, else that of BANYAN_CONFIG', async () => {
  await folder.write('other.yaml', routesYaml)
  const env = { BANYAN_CONFIG: 'other.yaml' }
  expect((await folder.banyan(['check'], { env })).out).toContain('other.yaml: ')
  expect((await folder.banyan(['check', '--config', 'routes.yaml'], { env })).out).toContain('routes.yaml: ')
  expect((await folder.banyan(['check', 'routes.yaml'], { env })).out).toContain('routes.yaml: ')
})

test('check tells all problems at once, each with its place, and exits 1', async () => {
  const broken = routesYaml.replace('upstream: monolith', 'upstraem: monolith').replace('stage: live', 'stage: alive')
  await folder.write('broken.yaml', broken)
  const { code, out } = await folder.banyan(['check', 'broken.yaml'])
  expect(code).toBe(1)
  const lines = out.trimEnd().split('\n')
  expect(lines[0]).toMatch(/^broken\.yaml:9:\d+ +\S/)
  expect(lines[1]).toMatch(/^broken\.yaml:12:5 +unknown key "upstraem"; did you mean "upstream"\?$/)
  expect(lines.at(-1)).toBe('2 problems')
})

test('check answers a script in JSON', async () => {
  await folder.write('broken.yaml', routesYaml.replace('upstream: monolith', 'upstraem: monolith'))
  const broken = await folder.banyan(['check', 'broken.yaml', '--json'])
  expect(broken.code).toBe(1)
  const message = 'unknown key "upstraem"; did you mean "upstream"?'
  expect(JSON.parse(broken.out)).toEqual({
    ok: false,
    file: 'broken.yaml',
    problems: [{ severity: 'error', line: 12, column: 5, message }],
  })
  const sound = await folder.banyan(['check', '--json'])
  expect(JSON.parse(sound.out)).toMatchObject({ ok: true, routes: 3, problems: [] })
})

test('a warning is told, and the file is accepted', async () => {
  await folder.write('doubtful.yaml', routesYaml.replace(/^paths: .*\n/m, ''))
  const { code, out } = await folder.banyan(['check', 'doubtful.yaml'])
  expect(code).toBe(0)
  expect(out).toMatch(/^doubtful\.yaml:\d+:\d+ +warning: /)
  expect(out).toContain('no problems, 1 warning')
})

test('a file that cannot be read is a problem like any other', async () => {
  const { code, out } = await folder.banyan(['check', 'missing.yaml'])
  expect(code).toBe(1)
  expect(out).toContain('missing.yaml:1:1  cannot be read: ENOENT')
})
