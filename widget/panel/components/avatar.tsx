import { useState } from 'preact/hooks'
import { Steps } from '../icons'
import { initials } from '../thread'

/** A person's picture if our own server has one, else their initials. */
export function Avatar({ name, url, size = 'small' }: { name: string; url?: string | null | undefined; size?: 'small' | 'large' }) {
  const [broken, setBroken] = useState(false)
  const ours = url && !broken && new URL(url, location.href).origin === location.origin
  return (
    <span class={`avatar person ${size}`} aria-hidden="true">
      {ours ? <img src={url} alt="" onError={() => setBroken(true)} /> : initials(name)}
    </span>
  )
}

export function AssistantMark({ size = 'small' }: { size?: 'small' | 'large' }) {
  return <span class={`avatar machine ${size}`} aria-hidden="true"><Steps /></span>
}
