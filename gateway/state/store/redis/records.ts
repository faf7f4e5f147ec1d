// Records of all replicas as one stream for each name. The danger it guards against: a stream that grows for ever.
import { parse, textOf } from '../json.ts'
import type { RecordStore, StoredRecord } from '../port.ts'
import type { Connection } from './connection.ts'

const keptRecords = 10_000

export function createRecords({ ask }: Connection, prefix: string): RecordStore {
  const streamOf = (name: string) => `${prefix}stream:${name}`
  return {
    async append(name, value) {
      const text = textOf(value)
      return ask(async (redis) => {
        const id = await redis.xadd(streamOf(name), 'MAXLEN', '~', keptRecords, '*', 'json', text)
        if (id === null) throw new Error('the record was not taken')
        return id
      })
    },
    readStream: (name, { limit, after }) =>
      ask(async (redis) => {
        if (after !== undefined)
          return readRecords(await redis.xrange(streamOf(name), `(${after}`, '+', 'COUNT', limit))
        return readRecords(await redis.xrevrange(streamOf(name), '+', '-', 'COUNT', limit)).reverse()
      }),
  }
}

const readRecords = (entries: readonly [id: string, fields: string[]][]): StoredRecord[] =>
  entries.map(([id, [, text = 'null']]) => ({ id, value: parse(text) }))
