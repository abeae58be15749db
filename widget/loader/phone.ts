/** On a phone the chat takes the whole screen: the page behind it is inert and does not scroll. */

interface Closable { destroy(): void; onclose: (() => void) | null }

/** Take the screen, and return what gives it back. `leave` is called when the back gesture is used. */
export function takeScreen(box: HTMLElement, leave: () => void): () => void {
  const { body, documentElement: page } = document
  const overflow = page.style.overflow
  const wasInert = body.inert
  body.inert = true
  page.style.overflow = 'hidden'

  // The on-screen keyboard of iOS shrinks the visual viewport only, which a frame cannot see.
  const view = window.visualViewport
  const fit = () => {
    if (!view) return
    box.style.height = `${view.height}px`
    box.style.top = `${view.offsetTop}px`
  }
  fit()
  view?.addEventListener('resize', fit)
  view?.addEventListener('scroll', fit)

  const Watcher = (window as { CloseWatcher?: new () => Closable }).CloseWatcher
  const watcher = Watcher ? new Watcher() : null
  if (watcher) watcher.onclose = leave

  return () => {
    body.inert = wasInert
    page.style.overflow = overflow
    box.style.height = box.style.top = ''
    view?.removeEventListener('resize', fit)
    view?.removeEventListener('scroll', fit)
    watcher?.destroy()
  }
}
