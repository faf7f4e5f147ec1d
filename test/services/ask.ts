// Asking the systems under test over real sockets: bytes in, bytes out, and the ledger by polling what can be observed.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { LedgerEntry } from '../../services/kit/ledger.ts'

/** Sends these bytes and gives all that comes until the other side closes. */
export async function exchangeBytes(url: string, request: string): Promise<string> {
  const socket = await openSocket(url)
  socket.write(request, 'latin1')
  return readToEnd(socket)
}

/** One request with `Connection: close`, as bytes; without query and fields of its own nothing else is sent. */
export function askBytes(url: string, path: string, fields: readonly string[] = []): Promise<string> {
  const lines = [`GET ${path} HTTP/1.1`, 'Host: freight.example', 'Connection: close', ...fields]
  return exchangeBytes(url, `${lines.join('\r\n')}\r\n\r\n`)
}

export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  await once(socket, 'connect')
  return socket
}

/** @throws what the socket throws: a reset, for one */
export async function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

export async function ledgerOf(url: string, after = 0): Promise<readonly LedgerEntry[]> {
  const answer = await fetch(`${url}/_ops/ledger?after=${after}&limit=100000`)
  return ((await answer.json()) as { entries: LedgerEntry[] }).entries
}

/** Asks the ledger until the entry of that request is as wanted; gives up after a minute. */
export async function awaitEntry(url: string, id: string, wanted: Partial<LedgerEntry>): Promise<LedgerEntry> {
  let entry: LedgerEntry | undefined
  const giveUpAt = performance.now() + 60_000
  while (performance.now() < giveUpAt) {
    entry = (await ledgerOf(url)).find((one) => one.id === id)
    const fits = entry && Object.entries(wanted).every(([key, value]) => entry?.[key as keyof LedgerEntry] === value)
    if (entry && fits) return entry
  }
  throw new Error(`the ledger has ${JSON.stringify(entry)} for ${id}, not ${JSON.stringify(wanted)}`)
}

export async function setFaults(url: string, faults: unknown): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' }
  return fetch(`${url}/_ops/faults`, { method: 'PUT', headers, body: JSON.stringify(faults) })
}
