// npm start, as far as it can be tested where its ports may belong to somebody else; and what it tells of the gateway's log.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, test } from 'vitest'
import { greeting } from '../../scripts/greeting.ts'
import { doorsIn, newsIn } from '../../scripts/news.ts'

const script = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url))

test('a port in use ends the start with one sentence and exit code 1', async () => {
  const squatter = createServer()
  // Whoever else has the port already serves as well.
  squatter.on('error', () => {})
  squatter.listen(4000, '127.0.0.1')
  const child = spawn(process.execPath, [script])
  const ended = once(child, 'close')
  const [errors, [code]] = await Promise.all([text(child.stderr), ended, child.stdout.resume()])
  squatter.close()
  expect(code).toBe(1)
  expect(errors).toMatch(/^port \d+ is in use: stop what listens there [^\n]*\n$/)
})

describe('of the log', () => {
  const line = (said: object) => JSON.stringify({ level: 'info', time: '2026-01-01T00:00:00.000Z', ...said })
  const doors = { public: 'http://127.0.0.1:8080', admin: 'http://127.0.0.1:8081', probes: 'http://127.0.0.1:8082' }

  it('finds the addresses in the line that has them, and in no other', () => {
    expect(doorsIn(line({ ...doors, msg: 'listening' }))).toEqual(doors)
    expect(doorsIn(line({ ...doors, msg: 'exchange' }))).toBeUndefined()
    expect(doorsIn('listening on everything')).toBeUndefined()
  })

  it('tells the life of the gateway, but no single request', () => {
    expect(newsIn(line({ msg: 'exchange', path: '/x' }))).toBeUndefined()
    expect(newsIn(line({ msg: 'routes.yaml accepted', revision: 2 }))).toBe(
      'gateway  routes.yaml accepted (revision 2)',
    )
  })

  it('tells a refused file with its problems', () => {
    const refused = {
      level: 'error',
      msg: 'routes.yaml refused',
      revision: 2,
      problems: ['routes.yaml:4:5 no', 'and no'],
    }
    expect(newsIn(line(refused))).toBe(
      'gateway  error: routes.yaml refused (revision 2)\n  routes.yaml:4:5 no\n  and no',
    )
  })

  it('hands on what is no line of ours', () => expect(newsIn('Segmentation fault')).toBe('Segmentation fault'))

  it('greets with three lines to try, at the addresses that the gateway really has', () => {
    const shown = greeting({ ...doors, public: 'http://127.0.0.1:9090' }, 'var/gateway.log')
    expect(shown.match(/^ {2}curl .*$/gm)).toHaveLength(3)
    expect(shown).toContain("curl -i 'http://127.0.0.1:9090/api/search?q=rotterdam'")
  })
})
