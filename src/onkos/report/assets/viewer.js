// The viewer: what is shown, what people do to it, and what it says; drawing.js draws.
(() => {
  const root = document.getElementById("viewer");
  if (!root) return;
  const part = (name, within = root) => within.querySelector(`[data-part="${name}"]`);
  const parts = (name) => [...root.querySelectorAll(`[data-part="${name}"]`)];
  const say = (text) => { part("status").textContent = text; };

  if (typeof DecompressionStream !== "function") {
    root.dataset.state = "unable";
    say("This browser is too old for the viewer (it lacks DecompressionStream). The pictures and tables are complete without it.");
    return;
  }

  const facts = JSON.parse(document.getElementById("viewer-facts").textContent);
  const state = {
    at: [...facts.start],
    role: 0,
    windows: facts.roles.map((role) => ({ low: role.windows[0].low, high: role.windows[0].high })),
    hidden: new Set(),
    fill: 0.2,
    cross: true,
    pointed: null,
  };
  const unpacked = new Map();
  const panes = [...root.querySelectorAll(".pane")].map((element) => ({
    element,
    name: element.dataset.plane,
    canvas: element.querySelector("canvas"),
    slider: part("scroll", element),
    slice: part("slice", element),
    plane: PLANES[element.dataset.plane],
    image: document.createElement("canvas"),
    tint: document.createElement("canvas"),
  }));

  async function unpack(id) {
    if (!unpacked.has(id)) {
      const packed = document.getElementById(id).textContent.trim();
      const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      const codes = new Uint8Array(await new Response(stream).arrayBuffer());
      if (codes.length !== facts.shape.reduce((a, b) => a * b)) throw new Error(`${id}: ${codes.length} voxels`);
      unpacked.set(id, codes);
    }
    return unpacked.get(id);
  }
  const imageId = (role) => `viewer-image-${role}`;
  const codesNow = () => unpacked.get(imageId(state.role));
  const labels = () => unpacked.get("viewer-labels");
  const { draw, frame, offset, size, voxelOf } = drawing(facts, state, { codesNow, labels });

  function tell(pane) {
    const { across } = pane.plane;
    const count = facts.shape[across];
    const number = state.at[across] + 1;
    pane.slice.textContent = `${number} of ${count}`;
    pane.slider.max = String(count);
    pane.slider.value = String(number);
    pane.slider.setAttribute("aria-valuetext", `slice ${number} of ${count}`);
  }

  function place(index) {
    const letters = [["R", "L"], ["A", "P"], ["F", "H"]];
    return letters.map(([below, above], axis) => {
      const mm = facts.origin_mm[axis] + index[axis] * facts.step_mm;
      return `${mm < 0 ? below : above} ${Math.abs(mm).toFixed(1)}`;
    }).join(", ") + " mm";
  }

  function valueAt(index) {
    const role = facts.roles[state.role];
    const code = codesNow()[offset(index)];
    if (code === 0) return "outside the image";
    const bound = code === 1 ? "at most " : code === 255 ? "at least " : "about ";
    const level = role.levels[code];
    const near = Math.abs(level) >= 100 ? level.toFixed(0) : Number(level.toPrecision(3)).toString();
    return `${bound}${near.replace("-", "\u2212")} ${role.unit || "(arbitrary units)"}`;
  }

  function tellValue() {
    const index = state.pointed || state.at;
    const label = labels() ? labels()[offset(index)] : 0;
    const tissue = facts.tissues.find((each) => each.label === label);
    const where = state.pointed ? "Under the pointer" : "At the crosshair";
    const outlined = tissue ? `, outlined as ${tissue.name}` : "";
    const name = facts.roles[state.role].name;
    part("readout").textContent = `${where}: ${name} ${valueAt(index)}${outlined}; ${place(index)}`;
  }

  let waiting = false;
  function refresh() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (!codesNow()) return;
      for (const pane of panes) {
        draw(pane);
        tell(pane);
      }
      tellValue();
    });
  }

  function moveTo(axis, slice) {
    const next = Math.min(Math.max(slice, 0), facts.shape[axis] - 1);
    const moved = next !== state.at[axis];
    state.at[axis] = next;
    if (moved) {
      state.pointed = null;
      refresh();
    }
    return moved;
  }

  function tellWindow() {
    const { low, high } = state.windows[state.role];
    const digits = high - low >= 20 ? 0 : high - low >= 1 ? 2 : 5;
    part("low").value = Number(low.toFixed(digits));
    part("high").value = Number(high.toFixed(digits));
    const preset = facts.roles[state.role].windows.findIndex(
      (each) => each.low === low && each.high === high,
    );
    part("preset").value = preset < 0 ? "own" : String(preset);
  }

  function setWindow(low, high) {
    if (!Number.isFinite(low) || !Number.isFinite(high) || high <= low) {
      say("White must lie above black.");
      tellWindow();
      return;
    }
    say("");
    state.windows[state.role] = { low, high };
    tellWindow();
    refresh();
  }

  function offerPresets() {
    const named = facts.roles[state.role].windows.map((each, n) => new Option(each.name, String(n)));
    part("preset").replaceChildren(...named, new Option("own", "own"));
    tellWindow();
  }

  async function show(role) {
    try {
      await unpack(imageId(role));
    } catch (error) {
      root.dataset.state = "unable";
      say(`The images in this page cannot be unpacked (${error.message}); the page is damaged or cut short. Make the report again.`);
      return;
    }
    state.role = role;
    offerPresets();
    refresh();
  }

  function pointAt(pane, event) {
    const bounds = pane.canvas.getBoundingClientRect();
    const ratio = pane.canvas.width / bounds.width;
    const { scale, left, top } = frame(pane);
    const column = Math.floor(((event.clientX - bounds.left) * ratio - left) / scale);
    const row = Math.floor(((event.clientY - bounds.top) * ratio - top) / scale);
    const [columns, rows] = size(pane);
    const within = column >= 0 && row >= 0 && column < columns && row < rows;
    return within ? voxelOf(pane, column, row) : null;
  }

  function listenToPointer(pane) {
    let start = null;
    let dragged = false;
    pane.canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      start = { x: event.clientX, y: event.clientY, ...state.windows[state.role] };
      dragged = false;
      if (event.pointerType === "mouse") pane.canvas.setPointerCapture(event.pointerId);
    });
    pane.canvas.addEventListener("pointermove", (event) => {
      if (start && event.pointerType === "mouse") {
        const dx = event.clientX - start.x;
        const dy = event.clientY - start.y;
        dragged = dragged || Math.hypot(dx, dy) > 4;
        if (dragged) {
          const width = (start.high - start.low) * Math.exp(-dx / 200);
          const middle = (start.high + start.low) / 2 + ((start.high - start.low) * dy) / 300;
          setWindow(middle - width / 2, middle + width / 2);
        }
      } else if (!start) {
        state.pointed = pointAt(pane, event);
        tellValue();
      }
    });
    pane.canvas.addEventListener("pointerup", (event) => {
      const index = start && !dragged ? pointAt(pane, event) : null;
      start = null;
      if (!index) return;
      state.at = index;
      state.pointed = null;
      refresh();
    });
    pane.canvas.addEventListener("pointercancel", () => { start = null; });
    pane.canvas.addEventListener("pointerleave", () => {
      state.pointed = null;
      tellValue();
    });
  }

  function listenToScrolling(pane) {
    const { across } = pane.plane;
    let turned = 0;
    pane.canvas.addEventListener("wheel", (event) => {
      if (event.ctrlKey) return;
      turned += event.deltaMode === 0 ? event.deltaY : event.deltaY * 40;
      if (Math.abs(turned) < 40) {
        event.preventDefault();
        return;
      }
      const step = turned > 0 ? -1 : 1;
      turned = 0;
      if (moveTo(across, state.at[across] + step)) event.preventDefault();
    }, { passive: false });
    const steps = {
      ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10,
    };
    pane.canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const last = facts.shape[across] - 1;
      const ends = { Home: 0, End: last };
      if (event.key in steps) moveTo(across, state.at[across] + steps[event.key]);
      else if (event.key in ends) moveTo(across, ends[event.key]);
      else return;
      event.preventDefault();
    });
    pane.slider.addEventListener("input", () => moveTo(across, Number(pane.slider.value) - 1));
  }

  function listenToEnlarge(pane) {
    const button = part("enlarge", pane.element);
    button.addEventListener("click", () => {
      const large = !pane.element.classList.contains("large");
      for (const other of panes) {
        const now = large && other === pane;
        other.element.classList.toggle("large", now);
        part("enlarge", other.element).setAttribute("aria-pressed", String(now));
      }
      refresh();
    });
  }

  function listenToTissues() {
    const all = part("all");
    if (!all) return;
    const boxes = parts("tissue");
    const gather = () => {
      state.hidden = new Set(boxes.filter((box) => !box.checked).map((box) => Number(box.value)));
      all.checked = state.hidden.size === 0;
      all.indeterminate = state.hidden.size > 0 && state.hidden.size < boxes.length;
      refresh();
    };
    for (const box of boxes) box.addEventListener("change", gather);
    all.addEventListener("change", () => {
      for (const box of boxes) box.checked = all.checked;
      gather();
    });
    part("fill").addEventListener("input", (event) => {
      state.fill = Number(event.target.value) / 100;
      refresh();
    });
  }

  function listenToTools() {
    part("role").addEventListener("change", (event) => show(Number(event.target.value)));
    part("preset").addEventListener("change", (event) => {
      const chosen = facts.roles[state.role].windows[Number(event.target.value)];
      if (chosen) setWindow(chosen.low, chosen.high);
    });
    for (const end of ["low", "high"]) {
      part(end).addEventListener("change", () => {
        setWindow(part("low").valueAsNumber, part("high").valueAsNumber);
      });
    }
    part("cross").addEventListener("change", (event) => {
      state.cross = event.target.checked;
      refresh();
    });
    const lesion = part("lesion");
    if (lesion) {
      lesion.addEventListener("change", () => {
        if (lesion.value === "") return;
        state.at = [...facts.lesions[Number(lesion.value)].at];
        state.pointed = null;
        refresh();
      });
    }
  }

  async function start() {
    say("Unpacking the images.");
    try {
      if (document.getElementById("viewer-labels").textContent.trim()) await unpack("viewer-labels");
    } catch (error) {
      root.dataset.state = "unable";
      say(`The outline in this page cannot be unpacked (${error.message}); the page is damaged or cut short. Make the report again.`);
      return;
    }
    await show(0);
    if (root.dataset.state === "unable") return;
    root.dataset.state = "ready";
    say("");
    for (const pane of panes) {
      listenToPointer(pane);
      listenToScrolling(pane);
      listenToEnlarge(pane);
      new ResizeObserver(refresh).observe(pane.canvas);
    }
    listenToTissues();
    listenToTools();
    refresh();
  }
  start();
})();
