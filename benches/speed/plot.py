"""Plots as SVG: one line over a logarithmic or an even axis."""

import math

WIDTH, HEIGHT, MARGIN = 640, 360, 70


def svg(title, points, logarithmic=True):
    """A curve through the points, whose values begin at nothing."""
    across = [math.log10(x) if logarithmic else x for x, _ in points]
    low, high, top = min(across), max(across), max(y for _, y in points) * 1.1
    place = lambda x, y: (MARGIN + (x - low) / ((high - low) or 1) * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - y / top * (HEIGHT - 2 * MARGIN))
    spots = [place(x, y) for x, (_, y) in zip(across, points)]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<title>{title}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
             f'<text x="{WIDTH / 2}" y="28" text-anchor="middle" font-size="15">{title}</text>',
             f'<path d="M{MARGIN} {MARGIN}V{HEIGHT - MARGIN}H{WIDTH - MARGIN}" fill="none" stroke="#888"/>',
             '<polyline fill="none" stroke="#06c" stroke-width="2" points="' + ' '.join(f'{x:.1f},{y:.1f}' for x, y in spots) + '"/>']
    for (x, y), (name, value) in zip(spots, points):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#06c"/><text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle">{value:,.0f}</text>'
                     f'<text x="{x:.1f}" y="{HEIGHT - MARGIN + 18}" text-anchor="middle">{name:,}</text>')
    return '\n'.join([*parts, '</svg>']) + '\n'
