"""The peer: cells that walk, divide, differentiate and die on a lattice, in Mesa 3, by the rules of ours.

`OnGrid` stands on Mesa's own grid; `OnList` keeps the sites in a list, which is faster and gives up what the
grid offers. Both go through Mesa's agents and scheduler.
"""

from __future__ import annotations

import mesa
import numpy as np
from mesa.discrete_space import CellAgent, FixedAgent, OrthogonalMooreGrid

from remyelin.biology.lattice import FREE, PROGENITOR, RIM, TILE, Tissue
from remyelin.biology.section_kernel import OWN
from remyelin.biology.section_law import Law


class Rules:
    """What a progenitor does in an hour among bare axons, the fields constant, as our `_in_lesion` has it."""

    def __init__(self, law: Law, phagocytes: float, debris: float) -> None:
        wake = phagocytes / (phagocytes + 0.1)
        content = law.demand_half / (1 + law.demand_half)
        self.per_cell, self.niche = law.per_cell, law.niche
        self.divide = (law.rest + law.proliferation * wake) / 24
        self.peak = 1 + (law.peak - 1) * wake
        self.leave = law.differentiation / (1 + (debris / law.debris_half) ** 2) / 24
        self.leave *= 1 - law.demand_driven * content
        self.die = law.premyelinating_death / 24
        self.hops = law.hops / 24

    def chances(self, crowd: int) -> tuple[float, float]:
        """Net division and differentiation."""
        others = (crowd - OWN) * self.per_cell
        return self.divide * (1 - others / self.peak), self.leave / (1 + others / self.niche)


class Still(FixedAgent):
    """An oligodendrocyte: in the way."""


class GridWalker(CellAgent):
    """A progenitor or premyelinating cell on Mesa's grid."""

    premyelinating = False

    def step(self) -> None:
        """An hour."""
        model, cell, rules = self.model, self.cell, self.model.rules
        model.visits += 1
        u = model.random.random()
        if self.premyelinating:
            if u < rules.die:
                self.remove()
            return
        tile = model.tile[cell.coordinate]
        net, leaving = rules.chances(model.crowd[tile])
        if u >= abs(net) + leaving:
            self.wander(cell)
        elif u >= abs(net):
            self.premyelinating = True
            model.crowd[tile] -= 1
        elif net < 0:
            model.crowd[tile] -= 1
            self.remove()
        else:
            free = [there for there in cell.connections.values() if there.is_empty]
            if free:
                daughter = GridWalker(model)
                daughter.cell = model.random.choice(free)
                model.crowd[model.tile[daughter.cell.coordinate]] += 1

    def wander(self, cell) -> None:  # type: ignore[no-untyped-def]
        """Hop."""
        model = self.model
        before = cell
        for _ in range(int(model.rules.hops) + (model.random.random() < model.rules.hops % 1)):
            there = model.random.choice(model.around[cell.coordinate])
            if there.is_empty:
                self.cell = cell = there
        if cell is not before:
            model.crowd[model.tile[before.coordinate]] -= 1
            model.crowd[model.tile[cell.coordinate]] += 1


class OnGrid(mesa.Model):
    """All cells of the tissue on Mesa's grid."""

    def __init__(self, tissue: Tissue, law: Law, rules: Rules, sites: int) -> None:
        super().__init__(seed=1)
        self.rules, self.visits = rules, 0
        self.crowd = [0] * (sites // TILE) ** 2
        self.grid = OrthogonalMooreGrid((sites, sites), torus=False, capacity=1, random=self.random)
        self.tile = {
            (y, x): y // TILE * (sites // TILE) + x // TILE for y in range(sites) for x in range(sites)
        }
        self.around = {cell.coordinate: list(cell.connections.values()) for cell in self.grid.all_cells}
        for slot in np.flatnonzero(tissue.kind):
            y, x = divmod(int(tissue.place[slot]), law.width)
            walks = tissue.kind[slot] == PROGENITOR
            agent = GridWalker(self) if walks else Still(self)
            agent.cell = self.grid[y - RIM, x - RIM]
            if walks:
                self.crowd[self.tile[y - RIM, x - RIM]] += 1

    @property
    def walkers(self) -> int:
        """How many can still walk, differentiate or die."""
        return len(self.agents_by_type[GridWalker])

    def step(self) -> None:
        """An hour of all."""
        self.agents_by_type[GridWalker].shuffle_do("step")


class ListWalker(mesa.Agent):
    """The same on a list of sites."""

    premyelinating = False

    def __init__(self, model: mesa.Model, site: int) -> None:
        super().__init__(model)
        self.site = site

    def step(self) -> None:
        """An hour."""
        model, site, rules = self.model, self.site, self.model.rules
        model.visits += 1
        u = model.random.random()
        if self.premyelinating:
            if u < rules.die:
                model.taken[site] = False
                self.remove()
            return
        tile = model.tile[site]
        net, leaving = rules.chances(model.crowd[tile])
        if u >= abs(net) + leaving:
            self.wander(site)
        elif u >= abs(net):
            self.premyelinating = True
            model.crowd[tile] -= 1
        elif net < 0:
            model.crowd[tile] -= 1
            model.taken[site] = False
            self.remove()
        else:
            free = [site + step for step in model.around if not model.taken[site + step]]
            if free:
                there = model.random.choice(free)
                ListWalker(model, there)
                model.taken[there] = True
                model.crowd[model.tile[there]] += 1

    def wander(self, site: int) -> None:
        """Hop."""
        model = self.model
        here, taken, random = site, model.taken, model.random.random
        for _ in range(int(model.rules.hops) + (random() < model.rules.hops % 1)):
            there = here + model.around[int(8 * random())]
            if not taken[there]:
                taken[here], taken[there] = False, True
                here = there
        if here != site:
            self.site = here
            model.crowd[model.tile[site]] -= 1
            model.crowd[model.tile[here]] += 1


class OnList(mesa.Model):
    """All cells of the tissue on a list of sites."""

    def __init__(self, tissue: Tissue, law: Law, rules: Rules) -> None:
        super().__init__(seed=1)
        self.rules, self.visits = rules, 0
        self.around = tissue.around.tolist()
        self.tile = tissue.tile.tolist()
        self.crowd = tissue.crowd.tolist()
        self.taken = (tissue.occupant != FREE).tolist()
        for slot in np.flatnonzero(tissue.kind == PROGENITOR):
            ListWalker(self, int(tissue.place[slot]))

    @property
    def walkers(self) -> int:
        """How many can still walk, differentiate or die."""
        return len(self.agents)

    def step(self) -> None:
        """An hour of all."""
        self.agents.shuffle_do("step")
