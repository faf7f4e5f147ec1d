// Gives a store what it lacks, one after another.
// The danger it guards against: each change told while it is at it, and all of it given once more for each.

/** @param put whether it is there now; false: the rest is left to the next time. Must not reject */
export function createGiver<T>(put: (one: T) => Promise<boolean>): (missing: ReadonlyMap<string, T>) => void {
  let owed = new Map<string, T>()
  let isGiving = false

  async function giveAll(): Promise<void> {
    isGiving = true
    for (let [next] = owed; next; [next] = owed) {
      const [id, one] = next
      owed.delete(id)
      if (!(await put(one))) owed.clear()
    }
    isGiving = false
  }

  return (missing) => {
    owed = new Map(missing)
    if (!isGiving) void giveAll()
  }
}
