// The command that runs the scenarios: what it says of them, and what it does with a wrong name.
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { scenarios } from '../../load-tests/scenarios.ts'
import { loadTest } from './short-run.ts'

async function said(args: readonly string[]) {
  const child = loadTest(args)
  const ended = once(child, 'close')
  const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: (await ended)[0], out, complaints }
}

describe('npm run load-test', () => {
  it('lists all scenarios when asked for help', async () => {
    const { code, out } = await said(['--help'])
    expect(code).toBe(0)
    expect(scenarios.length).toBeGreaterThan(0)
    for (const { name, summary } of scenarios) expect(out).toContain(`  ${name.padEnd(12)}${summary}\n`)
  })

  it('tells the options of one scenario, wherever in its arguments help is asked for', async () => {
    expect(await said(['cutover', '--rate', '3', '-h'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^load-test cutover \[options\]\n/),
    })
  })

  it('refuses a scenario that is not there, names those that are, and exits 2', async () => {
    const names = scenarios.map(({ name }) => name).join(', ')
    expect(await said(['cutoffer'])).toEqual({
      code: 2,
      out: '',
      complaints: `load-test: say which scenario: ${names}; not "cutoffer"\nload-test --help says more\n`,
    })
  })
})
