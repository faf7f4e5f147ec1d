import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { startProcess } from '../../load-tests/processes.ts'

const script = (source: string) => ['--input-type=module', '--eval', source]
const forEver = 'setInterval(() => {}, 1e6);'
const readyPort = (line: string) => /^ready on (\d+)$/.exec(line)?.[1]

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('startProcess', () => {
  it('waits for the ready line, hands on what it says and stops the process', async () => {
    const lines: string[] = []
    const running = await startProcess({
      name: 'mock',
      args: script(`console.log('hello'); console.log('ready on 17'); ${forEver}`),
      ready: readyPort,
      onLine: (line) => lines.push(line),
    })
    expect({ ready: running.ready, lines }).toEqual({ ready: '17', lines: ['hello', 'ready on 17'] })
    expect(isAlive(running.pid)).toBe(true)
    expect(await running.stop()).toBe(143)
    expect(isAlive(running.pid)).toBe(false)
    expect(await running.stop()).toBe(143)
  })

  it('gives back the exit code of a process that ends by itself on SIGTERM', async () => {
    const running = await startProcess({
      name: 'mock',
      args: script(`process.on('SIGTERM', () => process.exit(7)); console.log('ready on 1'); ${forEver}`),
      ready: readyPort,
    })
    expect(await running.stop()).toBe(7)
  })

  it('kills a process that ignores SIGTERM', async () => {
    const running = await startProcess({
      name: 'mock',
      args: script(`process.on('SIGTERM', () => {}); console.log('ready on 1'); ${forEver}`),
      ready: readyPort,
    })
    expect(await running.stop(50)).toBe(137)
  })

  it('kills a process where it stands, whatever it would still do', async () => {
    const lines: string[] = []
    const running = await startProcess({
      name: 'mock',
      args: script(`process.on('SIGTERM', () => console.log('goodbye')); console.log('ready on 1'); ${forEver}`),
      ready: readyPort,
      onLine: (line) => lines.push(line),
    })
    expect(await running.kill()).toBe(137)
    expect({ lines, isAlive: isAlive(running.pid) }).toEqual({ lines: ['ready on 1'], isAlive: false })
    expect([await running.kill(), await running.stop()]).toEqual([137, 137])
  })

  it('says what the process complained of when it ends before it is ready', async () => {
    const start = startProcess({
      name: 'mock',
      args: script(`console.error('port 4000 is in use'); process.exit(3)`),
      ready: readyPort,
    })
    await expect(start).rejects.toThrow('mock ended with exit code 3 before it was ready\nport 4000 is in use')
  })

  it('stops a process that never becomes ready, and says so', async () => {
    const start = startProcess({
      name: 'mock',
      args: script(`console.error('process ' + process.pid); console.log('hm'); ${forEver}`),
      ready: readyPort,
      readyWithinMs: 400,
    })
    const error = await start.then(
      () => new Error('was ready'),
      (reason: Error) => reason,
    )
    expect(error.message).toContain('mock was not ready within 400 ms')
    const pid = Number(/process (\d+)/.exec(error.message)?.[1])
    expect(isAlive(pid)).toBe(false)
  })

  it('goes on reading after the ready line, so that a talkative process does not stop', async () => {
    const told = Promise.withResolvers<string>()
    const running = await startProcess({
      name: 'mock',
      args: script(
        `console.log('ready on 1'); for (let i = 0; i < 4000; i += 1) console.log('x'.repeat(100)); console.log('end'); ${forEver}`,
      ),
      ready: readyPort,
      onLine: (line) => line === 'end' && told.resolve(line),
    })
    expect(await told.promise).toBe('end')
    await running.stop()
  })

  it('leaves no child behind when its own process crashes', async () => {
    const module = new URL('../../load-tests/processes.ts', import.meta.url).href
    const listener = `const server = require('node:net').createServer().listen(0, '127.0.0.1', () =>
      console.log('ready on ' + server.address().port))`
    const parent = spawn(
      process.execPath,
      script(`import { startProcess } from ${JSON.stringify(module)}
        const ready = (line) => line.split(' ')[2]
        const child = await startProcess({ name: 'child', args: ['--eval', ${JSON.stringify(listener)}], ready })
        console.log(child.ready)
        process.stdin.on('data', () => { throw new Error('crash') })`),
      { stdio: ['pipe', 'pipe', 'ignore'] },
    )
    const ended = once(parent, 'close')
    const [port] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
    const connection = connect(Number(port), '127.0.0.1')
    await once(connection, 'connect')
    // A child that is killed may reset the connection: that is an end like another.
    const childGone = new Promise((resolve) => connection.on('error', () => {}).once('close', resolve))
    parent.stdin.write('now')
    expect((await ended)[0]).toBe(1)
    await childGone
  })
})
