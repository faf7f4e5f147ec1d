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
      headers: { Range: `bytes=0-${longestText - 1}` },
      signal: AbortSignal.timeout(fetchTimeoutMs),
    })
    const body = Buffer.from(await answer.arrayBuffer())
    if (answer.status === 404) throw new Refusal(404, 'there is no such document')
    // 416: there is no first byte, so the document is empty (RFC 9110 §15.5.17).
    if (!answer.ok && answer.status !== 416) throw new Refusal(502, 'the documents cannot be read')
    const text = answer.ok ? body.subarray(0, longestText).toString('utf8') : ''
    return { type: answer.headers.get('content-type') ?? '', text }
  } catch (thrown) {
    if (thrown instanceof Refusal) throw thrown
    if (thrown instanceof Error && thrown.name === 'TimeoutError') throw new Refusal(504, 'the documents are too slow')
    throw new Refusal(502, 'the documents cannot be reached')
  }
}
