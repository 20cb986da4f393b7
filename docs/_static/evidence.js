// Pages of the evidence: tables as wide as the window; a click on a head sorts by it, another turns the order.
document.addEventListener("DOMContentLoaded", () => {
  if (!location.pathname.includes("/evidence/")) return;
  document.body.classList.add("evidence");
  for (const table of document.querySelectorAll("article table")) {
    const body = table.tBodies[0];
    if (!body) continue;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      head.style.cursor = "pointer";
      head.title = "sort";
      let up = false;
      head.addEventListener("click", () => {
        up = !up;
        const text = (row) => row.cells[column].textContent.trim();
        const rows = [...body.rows].sort((a, b) => text(a).localeCompare(text(b), "en", { numeric: true }));
        body.append(...(up ? rows : rows.reverse()));
      });
    });
  }
});
