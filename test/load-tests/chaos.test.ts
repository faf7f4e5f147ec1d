// The chaos scenario in its short form: all of the fault matrix, and the rest with few requests.
import { describe, expect, it } from 'vitest'
import { complaintOf, isAsExpected, runMatrix } from '../../load-tests/chaos/matrix.ts'
import { cells, deeds, requests } from '../../load-tests/chaosTable.ts'
import { startTestGateway } from '../harness/gateway.ts'

describe('the fault matrix', () => {
  it('has every deed with every request, both states of the breaker, with and without fallback', () => {
    const keys = cells.map(({ deed, request, before, hasFallback }) => [deed, request, before, hasFallback].join())
    expect(new Set(keys).size).toBe(deeds.length * requests.length * 2 * 2)
    expect(keys).toHaveLength(new Set(keys).size)
  })

  it('is as the table says: each answer, the hits at both sides, and the breaker', async () => {
    const results = await runMatrix(startTestGateway)
    expect(results.filter((result) => !isAsExpected(result)).map(complaintOf)).toEqual([])
    expect(results).toHaveLength(cells.length)
  })
})
