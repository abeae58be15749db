/** One tab at a time. Where the browser has no locks, each tab acts for itself: every request can be repeated. */

export async function locked<Value>(name: string, work: () => Promise<Value>, signal?: AbortSignal): Promise<Value> {
  let began = false
  const begin = () => {
    began = true
    return work()
  }
  if (!navigator.locks) return begin()
  try {
    return await navigator.locks.request(`escalade:${name}`, signal ? { signal } : {}, begin)
  } catch (problem) {
    // Denied along with storage, before the work began.
    if (!began && (problem as DOMException).name === 'SecurityError') return begin()
    throw problem
  }
}
