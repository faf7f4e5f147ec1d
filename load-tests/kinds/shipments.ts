// Shipments, read and written through the JSON API. What is read is never what the run writes, so reads must be byte for
// byte what they were before; what the run writes has one writer at a time, so its version tells how often it was written.
// The danger it guards against: a write that runs twice and shows in no answer: the next one to the same shipment shows it.
import type { Reply } from '../client.ts'
import {
  type Acquaintance,
  expectReply,
  jsonIn,
  type Kind,
  type PlannedRequest,
  pickFrom,
  unlessBytes,
} from '../requests.ts'

/** Of this customer everything that the run writes is; lists of the others do not change. */
const writtenCustomer = 1
const readCustomers = [7, 23, 42, 99, 180]
const readIds = 40

interface Stored {
  readonly id: number
  readonly version: number
}

export async function learnShipments(given: Acquaintance): Promise<readonly Kind[]> {
  const from = given.move.from
  const learn = async (target: string) => expectReply(await given.operators.ask(from, target), 200, `${from} ${target}`)
  const lists = await Promise.all(
    readCustomers.map((id) => `/api/shipments?customer=${id}&size=20`).map(withReply(learn)),
  )
  const ids = lists.flatMap(({ reply }) =>
    jsonIn<{ shipments: readonly Stored[] }>(reply).shipments.map(({ id }) => id),
  )
  const details = await Promise.all(
    ids
      .slice(0, readIds)
      .map((id) => `/api/shipments/${id}`)
      .map(withReply(learn)),
  )
  const { random } = given
  return [
    { name: 'list', weight: 12, next: () => read('list', pickFrom(lists, random)) },
    { name: 'detail', weight: 32, next: () => read('detail', pickFrom(details, random)) },
    { name: 'unchanged', weight: 6, next: () => readIfChanged(pickFrom(details, random)) },
    ...writes(given),
  ]
}

interface Known {
  readonly target: string
  readonly reply: Reply
}

function withReply(learn: (target: string) => Promise<Reply>): (target: string) => Promise<Known> {
  return async (target) => ({ target, reply: await learn(target) })
}

function read(kind: string, { target, reply }: Known): PlannedRequest {
  return { kind, ask: { method: 'GET', target }, status: 200, complaint: unlessBytes(reply.body) }
}

/** A conditional GET (RFC 9110 §13.1.2) of something that has not changed. */
function readIfChanged({ target, reply }: Known): PlannedRequest {
  const tag = reply.fields.etag ?? ''
  return {
    kind: 'unchanged',
    ask: { method: 'GET', target, fields: { 'If-None-Match': tag } },
    status: 304,
    complaint: ({ fields }) => (fields.etag === tag ? undefined : `ETag ${fields.etag}, not ${tag}`),
  }
}

/** The three that change something share what the run has made so far; while there is nothing, they add. */
function writes({ tag, random }: Acquaintance): readonly Kind[] {
  const own: Stored[] = []
  let number = 0
  const takeOwn = () => own.splice(Math.floor(random() * own.length), 1)[0]
  const keep = (reply: Reply) => {
    const { id, version } = jsonIn<Stored>(reply)
    own.push({ id, version })
  }
  const content = () => {
    number += 1
    return { ...template, origin: tag, commodity: `xload ${number}` }
  }
  const add = (): PlannedRequest => {
    const written = content()
    const complaint = (reply: Reply) => complaintAbout(reply, written)
    return { kind: 'add', ask: asJson('POST', '/api/shipments', written), status: 201, complaint, onRight: keep }
  }
  const replace = (): PlannedRequest => {
    const stored = takeOwn()
    if (!stored) return add()
    const written = content()
    const expected = { ...written, id: stored.id, version: stored.version + 1 }
    const complaint = (reply: Reply) => complaintAbout(reply, expected)
    const ask = asJson('PUT', `/api/shipments/${stored.id}`, written)
    return { kind: 'replace', ask, status: 200, complaint, onRight: keep }
  }
  const strike = (): PlannedRequest => {
    const stored = takeOwn()
    if (!stored) return add()
    const ask = { method: 'DELETE', target: `/api/shipments/${stored.id}` }
    return { kind: 'strike', ask, status: 204, complaint: () => undefined }
  }
  return [
    { name: 'add', weight: 6, next: add },
    { name: 'replace', weight: 4, next: replace },
    { name: 'strike', weight: 2, next: strike },
  ]
}

/** No search of the run finds these words. */
const template = {
  customerId: writtenCustomer,
  manifestId: null,
  destination: 'xload',
  weightKg: 1,
  status: 'booked',
  departsOn: '2026-01-01',
}

function asJson(method: string, target: string, content: unknown) {
  const fields = { 'Content-Type': 'application/json' }
  return { method, target, fields, body: Buffer.from(JSON.stringify(content)) }
}

/** Every key that was written, or follows from it, must be in the answer with its value. */
function complaintAbout(reply: Reply, expected: Readonly<Record<string, unknown>>): string | undefined {
  const found = jsonIn<Record<string, unknown>>(reply)
  const wrong = Object.keys(expected).find((key) => found[key] !== expected[key])
  return wrong && `${wrong} is ${JSON.stringify(found[wrong])}, not ${JSON.stringify(expected[wrong])}`
}
