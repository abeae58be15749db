/** Stroked icons on a 24-unit grid, drawn for this widget. */

function drawn(...paths: string[]) {
  return (props: { class?: string }) => (
    <svg viewBox="0 0 24 24" aria-hidden="true" class="icon" {...props}>
      {paths.map((d) => <path d={d} />)}
    </svg>
  )
}

export const Close = drawn('M6 6l12 12M18 6L6 18')
export const Send = drawn('M12 19V5', 'M6 11l6-6 6 6')
export const More = drawn('M5 12h.01', 'M12 12h.01', 'M19 12h.01')
export const Back = drawn('M9 14l-5-5 5-5', 'M4 9h10a6 6 0 0 1 0 12h-3')
export const ThumbUp = drawn('M7 11v9H4v-9z', 'M7 12l4-8a2.4 2.4 0 0 1 2.3 3L12.8 10H18a2 2 0 0 1 2 2.4l-1.3 6A2 2 0 0 1 16.7 20H7')
export const ThumbDown = drawn('M17 13V4h3v9z', 'M17 12l-4 8a2.4 2.4 0 0 1-2.3-3l.5-3H6a2 2 0 0 1-2-2.4l1.3-6A2 2 0 0 1 7.3 4H17')
export const Plus = drawn('M12 5v14M5 12h14')
export const Stop = drawn('M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z', 'M9 9l6 6M15 9l-6 6')
export const Check = drawn('M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z', 'M8.2 12.3l2.6 2.6 5-5.4')
export const Clock = drawn('M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z', 'M12 7.5V12l3 2')
export const Mail = drawn('M4 6h16v12H4z', 'M4.5 7l7.5 6 7.5-6')
export const Warn = drawn('M12 4l9 15.5H3z', 'M12 10v4', 'M12 17h.01')
export const Down = drawn('M12 5v14', 'M6 13l6 6 6-6')
export const Chevron = drawn('M9 6l6 6-6 6')
export const External = drawn('M8 6H6v12h12v-2', 'M13 5h6v6', 'M19 5l-8 8')
export const Cloud = drawn('M4 4l16 16', 'M8.5 7.5A6 6 0 0 1 18 11a4 4 0 0 1 2 7M16 19H7a4.5 4.5 0 0 1-1-8.9')

export const Clip = drawn('M20 11.5l-8.2 8.2a5 5 0 0 1-7.1-7.1l8.6-8.6a3.4 3.4 0 0 1 4.8 4.8l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4l7.8-7.8')
export const Paper = drawn('M6 3h8l5 5v13H6z', 'M13.5 3.5V9h5')
export const Picture = drawn('M4 5h16v14H4z', 'M4 16l5-5 4 4 3-3 4 4', 'M15.5 9h.01')

/** Three steps up: the mark of the assistant. */
export const Steps = drawn('M6.8 15.8h.01', 'M12 12h.01', 'M17.2 8.2h.01')
