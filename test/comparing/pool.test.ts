// Comparing in worker threads: what is asked is answered, whatever becomes of a thread.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import type { Compared } from '../../gateway/comparing/comparison.ts'
import { type Comparer, type ComparerSettings, createComparer } from '../../gateway/comparing/pool.ts'
import { answer, rules } from './answers.ts'

const open: Comparer[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((comparer) => comparer.close()))
})

function comparerOf(changed: Partial<ComparerSettings> = {}): Comparer {
  const comparer = createComparer({ workers: 1, timeoutMs: 20_000, heapMb: 128, key: Buffer.from('key'), ...changed })
  open.push(comparer)
  return comparer
}

/** A body that takes a thread some 100 ms and 30 MB. */
const heavy = answer(`[${Array.from({ length: 25_000 }, (_, i) => `{"":${i % 7}}`).join()}]`)
/** A body that takes a thread some 300 ms. */
const slow = answer(`[${Array.from({ length: 87_000 }, () => '[]').join()}]`)
const [one, two] = [answer('{"a":1}'), answer('{"a":2}')]
const isTheDifferenceFound = async (comparer: Comparer) => {
  const { differences } = await comparer.compare(one, two, rules())
  return differences.length === 1 && differences[0]?.path === '$.a'
}

/** Resolves with the next thread that this process starts. */
const nextWorker = () => new Promise<Worker>((resolve) => process.once('worker', resolve))

test('answers are compared, one after the other and several at a time', async () => {
  const comparer = comparerOf({ workers: 2 })
  const asked = Array.from({ length: 50 }, (_, i) => comparer.compare(one, i % 2 ? two : one, rules()))
  expect(comparer.pending).toBe(50)
  expect((await Promise.all(asked)).map(({ same }) => same)).toEqual(asked.map((_, i) => i % 2 === 0))
  expect(comparer.pending).toBe(0)
  expect(await isTheDifferenceFound(comparer)).toBe(true)
})

test('the bodies given stay whole, also where they share memory with others', async () => {
  const shared = Buffer.from('secret{"a":1}secret{"a":2}')
  const old: Compared = { ...one, body: shared.subarray(6, 13) }
  const candidate: Compared = { ...two, body: shared.subarray(19) }
  const { differences } = await comparerOf().compare(old, candidate, rules())
  expect(differences).toMatchObject([{ path: '$.a', kind: 'value' }])
  expect(shared.toString()).toBe('secret{"a":1}secret{"a":2}')
  expect((await comparerOf().compare({ ...one, body: 'none' }, { ...one, body: 'tooLarge' }, rules())).same).toBe(false)
})

test('no thread is started before it is needed, and one is used again', async () => {
  let started = 0
  const count = () => {
    started++
  }
  process.on('worker', count)
  const comparer = comparerOf({ workers: 3 })
  expect(started).toBe(0)
  for (let i = 0; i < 5; i++) await comparer.compare(one, two, rules())
  process.off('worker', count)
  expect(started).toBe(1)
})

test('a thread that is killed in the middle fails its comparison only', async () => {
  const comparer = comparerOf()
  const started = nextWorker()
  const inTheMiddle = comparer.compare(heavy, heavy, rules())
  const behind = comparer.compare(one, two, rules())
  const worker = await started
  await Promise.all([worker.terminate(), expect(inTheMiddle).rejects.toMatchObject({ code: 'died' })])
  expect((await behind).same).toBe(false)
  expect(await isTheDifferenceFound(comparer)).toBe(true)
})

test('a thread that is killed while it is idle is replaced', async () => {
  const comparer = comparerOf()
  const started = nextWorker()
  await comparer.compare(one, two, rules())
  await (await started).terminate()
  expect(await isTheDifferenceFound(comparer)).toBe(true)
})

test('a body that needs more memory than a thread may have fails its comparison only', async () => {
  const comparer = comparerOf({ heapMb: 16 })
  await expect(comparer.compare(heavy, heavy, rules())).rejects.toMatchObject({ code: 'died' })
  expect(await isTheDifferenceFound(comparer)).toBe(true)
})

test('a comparison that takes too long is given up, and its thread with it', async () => {
  const comparer = comparerOf({ timeoutMs: 1 })
  // The time to start a thread is not counted: this one is allowed it.
  expect(await isTheDifferenceFound(comparer)).toBe(true)
  await expect(comparer.compare(slow, slow, rules())).rejects.toMatchObject({ code: 'timedOut' })
  expect(await isTheDifferenceFound(comparer)).toBe(true)
})

test('a late reply of a thread that was given up is no answer to what was asked since', async () => {
  const comparer = comparerOf({ timeoutMs: 1 })
  const started = nextWorker()
  const reply = { comparison: await comparer.compare(one, one, rules()) }
  const worker = await started
  await expect(comparer.compare(slow, slow, rules())).rejects.toMatchObject({ code: 'timedOut' })
  const asked = isTheDifferenceFound(comparer)
  worker.emit('message', reply)
  expect(await asked).toBe(true)
})

test('closing rejects what is under way and what waits, and all that is asked later', async () => {
  const comparer = comparerOf()
  const started = nextWorker()
  const asked = [heavy, one].map((of) => comparer.compare(of, of, rules()))
  const worker = await started
  const rejected = Promise.all(asked.map((one) => expect(one).rejects.toMatchObject({ code: 'closed' })))
  await Promise.all([comparer.close(), rejected])
  expect(worker.threadId).toBe(-1)
  await expect(comparer.compare(one, two, rules())).rejects.toMatchObject({ code: 'closed' })
  expect(comparer.pending).toBe(0)
})

test.each([
  ['idle', "await comparer.compare(body, body, rules); console.log('compared')", 'compared\n'],
  ['busy', "comparer.compare(body, body, rules).then(() => console.log('compared'))", ''],
])('a process ends of itself while a thread is %s', async (state, ask, said) => {
  const program = `
    import { createComparer } from ${JSON.stringify(new URL('../../gateway/comparing/pool.ts', import.meta.url).href)}
    const comparer = createComparer({ workers: 1, timeoutMs: 20000, heapMb: 64, key: new Uint8Array(8) })
    const body = { status: 200, fields: [], body: Buffer.from('{"a":1}') }
    const rules = { by: 'body', fields: [], ignore: [], unordered: [] }
    const keepAlive = setInterval(() => {}, 1000)
    process.once('worker', (worker) => worker.once('online', () => ${state === 'busy' ? 'clearInterval(keepAlive)' : '0'}))
    ${ask}
    ${state === 'idle' ? 'clearInterval(keepAlive)' : ''}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  expect(await text(child.stdout)).toBe(said)
  expect(await ended).toEqual([0, null])
})
