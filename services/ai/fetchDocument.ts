// A document's text, fetched from the monolith that keeps it.
// The danger it guards against: a slow or broken monolith taken for a missing document, or waited for without end.
import { longestText } from '../kit/summaryContract.ts'
import { Refusal } from '../kit/visit.ts'

const fetchTimeoutMs = 10_000

/**
 * At most `longestText` bytes of it. The request carries no X-Request-Id: it is one of our own, not the client's, and must
 * not look in the monolith's ledger as if the client's request had come there too.
 * @throws Refusal 404 where the monolith has none, 502 where it fails, 504 where it does not answer in 10 s.
 */
export async function fetchDocument(origin: string, id: string): Promise<{ type: string; text: string }> {
  try {
    const answer = await fetch(`${origin}/api/documents/${encodeURIComponent(id)}`, {
      signal: AbortSignal.timeout(fetchTimeoutMs),
    })
    if (answer.status === 404) throw new Refusal(404, 'there is no such document')
    if (answer.status !== 200) throw new Refusal(502, 'the documents cannot be read')
    return { type: answer.headers.get('content-type') ?? '', text: (await readStart(answer)).toString('utf8') }
  } catch (thrown) {
    if (thrown instanceof Refusal) throw thrown
    if (thrown instanceof Error && thrown.name === 'TimeoutError') throw new Refusal(504, 'the documents are too slow')
    throw new Refusal(502, 'the documents cannot be reached')
  }
}

/** No Range: to an empty document that is 416, an answer without the document's type. Leaving early ends the rest. */
async function readStart({ body }: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= longestText) break
  }
  return Buffer.concat(chunks).subarray(0, longestText)
}
