// The contract of a move: what the monolith answers, its successor answers, down to the fields.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startMonolith } from '../../legacy-mock/monolith.ts'
import { startAi } from '../../services/ai/ai.ts'
import { makeFreight } from '../../services/kit/seed.ts'
import type { Running } from '../../services/kit/server.ts'
import { startSearch } from '../../services/search/search.ts'

let monolith: Running
let search: Running
let ai: Running
beforeAll(async () => {
  monolith = await startMonolith({ port: 0 })
  search = await startSearch({ port: 0 })
  ai = await startAi({ port: 0, monolith: monolith.url })
})
afterAll(async () => {
  await ai.stop()
  await search.stop()
  await monolith.stop()
})

interface Seen {
  readonly status: number
  readonly fields: Record<string, string>
  readonly body: string
}

/** The answer without what may differ: the date, who served it, and the length, which goes with the body. */
async function see({ url }: Running, path: string, method = 'GET'): Promise<Seen> {
  const answer = await fetch(`${url}${path}`, { method })
  const fields = Object.fromEntries(answer.headers)
  for (const name of ['date', 'x-served-by', 'content-length']) delete fields[name]
  return { status: answer.status, fields, body: await answer.text() }
}

interface Page {
  readonly total: number
  readonly results: readonly { id: number }[]
}

async function findAll(side: Running, query: string): Promise<{ total: number; ids: readonly number[] }> {
  const ids: number[] = []
  let total = 0
  for (let page = 1; page === 1 || (page - 1) * 100 < Math.min(total, 500); page += 1) {
    const answer = await fetch(`${side.url}/api/search?q=${encodeURIComponent(query)}&page=${page}&size=100`)
    const found = (await answer.json()) as Page
    total = found.total
    ids.push(...found.results.map(({ id }) => id))
  }
  return { total, ids: total <= 500 ? ids.sort((a, b) => a - b) : [] }
}

describe('/api/search', () => {
  const { shipments, customers } = makeFreight()
  const texts = shipments
    .slice(0, 200)
    .flatMap(({ origin, commodity, status, reference }) => [...[origin, commodity, status, reference]])
  const words = [...texts, ...customers.map(({ name }) => name)].flatMap((text) => text.split(' '))
  const query = fc
    .array(
      fc
        .tuple(fc.constantFrom(...words), fc.integer({ min: 1, max: 12 }), fc.boolean())
        .map(([word, length, isLoud]) => {
          const start = [...word].slice(0, length).join('')
          return isLoud ? start.toUpperCase() : start
        }),
      { minLength: 1, maxLength: 3 },
    )
    .map((list) => list.join(' '))
    .filter((text) => /[\p{L}\p{N}]/u.test(text))

  test('finds the same shipments on both sides for any words and beginnings of words', async () => {
    await fc.assert(
      fc.asyncProperty(query, async (text) => {
        expect(await findAll(search, text)).toEqual(await findAll(monolith, text))
      }),
      { numRuns: 40, seed: 1887 },
    )
  })

  test.each([
    'göteborg',
    'GOTEBORG',
    'o’brien',
    "o'brien",
    'BF-100042',
    's.a.',
    'AND',
    'NEAR(',
    '"',
    '50% wine',
    'tea*',
  ])('reads %s alike', async (text) => {
    expect((await see(search, `/api/search?q=${encodeURIComponent(text)}`)).status).toBe(
      (await see(monolith, `/api/search?q=${encodeURIComponent(text)}`)).status,
    )
    if (/\p{L}|\p{N}/u.test(text)) expect(await findAll(search, text)).toEqual(await findAll(monolith, text))
  })

  test('finds something: an accent or a case is no obstacle', async () => {
    const { total, ids } = await findAll(search, 'goteborg COFFEE')
    expect(total).toBeGreaterThan(0)
    expect(ids).toHaveLength(total)
  })

  test('gives each result the same content on both sides', async () => {
    const sorted = async (side: Running) => {
      const { body } = await see(side, '/api/search?q=hamburg%20wine&size=100')
      const { results, ...rest } = JSON.parse(body) as Page
      return { ...rest, results: [...results].sort((a, b) => a.id - b.id) }
    }
    expect(await sorted(search)).toEqual(await sorted(monolith))
  })

  test.each([
    ['', 'no q'],
    ['?q=', 'an empty q'],
    ['?q=%20-%20', 'a q without a word'],
    [`?q=${'x'.repeat(201)}`, 'an overlong q'],
    ['?q=tea&page=0', 'a page 0'],
    ['?q=tea&page=x', 'a page that is no number'],
    ['?q=tea&size=101', 'a size beyond 100'],
    ['?q=nothinglikethis', 'nothing found'],
    ['?q=tea&page=900', 'a page beyond the last'],
    ['?q=BF-100042&q=tea', 'q twice'],
    ['/', 'a slash behind it'],
  ])('answers %s (%s) with the same bytes', async (rest) => {
    const path = `/api/search${rest}`
    expect(await see(search, path)).toEqual(await see(monolith, path))
  })

  test.each(['GET', 'HEAD', 'POST', 'DELETE'])('answers %s with the same status and fields', async (method) => {
    const [ours, theirs] = [
      await see(search, '/api/search?q=tea', method),
      await see(monolith, '/api/search?q=tea', method),
    ]
    expect({ status: ours.status, fields: ours.fields }).toEqual({ status: theirs.status, fields: theirs.fields })
  })

  test('says who answered', async () => {
    const by = async ({ url }: Running) => (await fetch(`${url}/api/search?q=tea`)).headers.get('x-served-by')
    expect([await by(monolith), await by(search)]).toEqual(['monolith', 'search'])
  })
})

describe('/api/documents/:id/summary', () => {
  test.each(['doc-1', 'doc-5', 'doc-6', 'doc-99', 'nonsense', '..%2F..%2Fetc', '%zz'])(
    'answers for %s with the same bytes',
    async (id) => {
      const path = `/api/documents/${id}/summary`
      expect(await see(ai, path)).toEqual(await see(monolith, path))
    },
  )

  async function uploadText(content: string): Promise<string> {
    const form = new FormData()
    form.append('file', new File([content], 'note.txt', { type: 'text/plain' }))
    const uploaded = await fetch(`${monolith.url}/api/documents`, { method: 'POST', body: form })
    return `${new URL(uploaded.headers.get('location') ?? '').pathname}/summary`
  }

  test.each(['', 'No end', 'Ähre und Öl. '.repeat(900), '3. 14. 15.'])(
    'answers alike for an upload that is empty, long, without a word or cut within a letter (%#)',
    async (content) => {
      const path = await uploadText(content)
      expect(await see(ai, path)).toEqual(await see(monolith, path))
    },
  )

  test('answers alike for any text', async () => {
    const word = fc.constantFrom('port', 'ports', 'Port', 'portside', 'left', 'tea', 'Öl', 'Ölfass', 'left-over')
    const sentence = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => `${words.join(' ')}.`)
    await fc.assert(
      fc.asyncProperty(fc.array(sentence, { maxLength: 9 }), async (sentences) => {
        const path = await uploadText(sentences.join(' '))
        expect(await see(ai, path)).toEqual(await see(monolith, path))
      }),
      { numRuns: 40, seed: 1887 },
    )
  })

  test('takes the sentences of the most frequent words, the earlier one of two equals', async () => {
    // coffee 4, went 3, timber 2, tiny 1: the sentences score 4, 1, 2.5, 3.5 and 2.5.
    const path = await uploadText('Coffee coffee coffee. Tiny sea. Timber went. Coffee went. Went timber.')
    const { body } = await see(ai, path)
    expect(JSON.parse(body)).toMatchObject({
      words: 11,
      sentences: 5,
      summary: ['Coffee coffee coffee.', 'Timber went.', 'Coffee went.'],
    })
  })

  test('gives three sentences of the text, in its order', async () => {
    const text = await (await fetch(`${monolith.url}/api/documents/doc-2`)).text()
    const { body } = await see(ai, '/api/documents/doc-2/summary')
    const { id, summary } = JSON.parse(body) as { id: string; summary: string[] }
    const places = summary.map((sentence) => text.indexOf(sentence))
    expect([id, summary.length]).toEqual(['doc-2', 3])
    expect(places.every((place) => place >= 0)).toBe(true)
    expect(places).toEqual([...places].sort((a, b) => a - b))
  })

  test('leaves no trace of the ai service in the ledger of the monolith', async () => {
    await fetch(`${monolith.url}/_ops/ledger`, { method: 'DELETE' })
    await fetch(`${ai.url}/api/documents/doc-1/summary`, { headers: { 'X-Request-Id': 'mine' } })
    const { entries } = (await (await fetch(`${monolith.url}/_ops/ledger`)).json()) as { entries: unknown[] }
    expect(entries).toEqual([])
  })

  test('is 502 where the monolith is away', async () => {
    const alone = await startAi({ port: 0, monolith: 'http://127.0.0.1:1' })
    expect((await fetch(`${alone.url}/api/documents/doc-1/summary`)).status).toBe(502)
    await alone.stop()
  })
})
