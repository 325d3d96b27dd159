"""The report: Markdown with the command beside its figures, and every target said to be met or missed."""

from dataclasses import dataclass

SIGNS = {
    'at least': lambda value, bound: value >= bound,
    'at most': lambda value, bound: value <= bound,
    'under': lambda value, bound: value < bound,
}


@dataclass
class Target:
    """A figure that was promised, and what was measured."""

    what: str
    sign: str
    bound: float
    value: float
    digits: int = 4

    @property
    def met(self):
        """A figure that could not be had is a target missed."""
        return self.value is not None and SIGNS[self.sign](self.value, self.bound)

    def cells(self):
        """A row of a table."""
        return [self.what, f'{self.sign} {self.bound:g}', number(self.value, self.digits), 'met' if self.met else '**missed**']


class Page:
    """Sections in the order in which they were measured, and a summary of all their targets to stand before them."""

    def __init__(self):
        self.parts = []
        self.sections = []

    def section(self, title):
        """Starts a section: targets after this belong to it."""
        self.parts.append(f'## {title}')
        self.sections.append((title, []))

    def heading(self, title):
        """A heading inside a section."""
        self.parts.append(f'### {title}')

    def text(self, text):
        """A paragraph."""
        self.parts.append(text)

    def commands(self, *runs):
        """The commands that gave the figures around them."""
        lines = '\n'.join(dict.fromkeys(run.command for run in runs))
        self.parts.append(f'```sh\n{lines}\n```')

    def table(self, head, rows):
        """A table."""
        rule = ['---'] * len(head)
        self.parts.append('\n'.join('| ' + ' | '.join(map(str, row)) + ' |' for row in [head, rule, *rows]))

    def targets(self, *targets):
        """A table of targets, which the summary counts too."""
        self.sections[-1][1].extend(targets)
        self.table(['target', 'bound', 'measured', ''], [t.cells() for t in targets])

    def markdown(self, title, lead, closing):
        """The whole report."""
        every = [(section, target) for section, targets in self.sections for target in targets]
        met = sum(target.met for _, target in every)
        summary = Page()
        summary.text(f'# {title}')
        summary.text(lead)
        if every:
            summary.text(f'**{met} of {len(every)} targets are met.**')
            summary.table(['section', 'target', 'bound', 'measured', ''], [[section, *target.cells()] for section, target in every])
        return '\n\n'.join([*summary.parts, *self.parts, closing]) + '\n'


def number(value, digits=4):
    """A number or a dash."""
    return '-' if value is None else f'{value:.{digits}f}'


def share(part, whole):
    """A share, or nothing where there was nothing to count."""
    return part / whole if whole else None


def interval(figure):
    """A share of `eval` with its 95 % interval."""
    return '-' if figure['value'] is None else f"{figure['value']:.3f} ({figure['low']:.2f}-{figure['high']:.2f})"
