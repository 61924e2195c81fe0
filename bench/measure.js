// What the benchmark sees in the page. Times are milliseconds of performance.now(), the clock of event.timeStamp.

window.bench = (() => {
  let moved = 0;   // when the mouse last moved
  for (const type of ["pointermove", "mousemove"]) addEventListener(type, (event) => { moved = event.timeStamp; }, true);

  class Watch {
    constructor() {
      this.area = document.querySelector(".jp-CodeCell .jp-OutputArea");
      this.pictures = this.area.querySelector(".hidden-state-views, .widget-output");
      // Observers report in the order in which they were made: the slider's change must come before its picture's.
      this.area.querySelectorAll(".noUi-handle").forEach((handle, slider) =>
        new MutationObserver(() => this.changed(slider)).observe(handle, { attributeFilter: ["aria-valuenow"] }));
      const all = { subtree: true, childList: true, characterData: true, attributes: true };
      new MutationObserver(() => this.drawn()).observe(this.pictures, all);
      this.pictures.addEventListener("load", () => this.drawn(), true);   // an <img> is a picture when it is loaded
      new ResizeObserver(() => this.heights?.push(this.area.getBoundingClientRect().height)).observe(this.area);
    }

    // Wait for one change of a slider and for the first frame with its picture.
    arm(slider) {
      this.before = this.content();
      this.wait = { slider, start: null, frame: null, end: null };
    }

    result() {
      return this.wait?.end ? { frame: this.wait.frame - this.wait.start, painted: this.wait.end - this.wait.start, gap: this.wait.gap } : null;
    }

    // The slider has another value. `gap`: milliseconds since another slider's last change.
    changed(slider) {
      this.changes += 1;
      this.turned = true;
      if (this.wait?.slider !== slider) this.other = performance.now();
      else if (this.wait.start === null) Object.assign(this.wait, { start: moved, gap: performance.now() - this.other });
    }

    drawn() {
      this.dirty = true;
      const wait = this.wait;
      if (wait?.start == null || wait.frame || !this.isNew()) return;
      wait.frame = -1;
      requestAnimationFrame(() => {
        wait.frame = performance.now();
        const channel = new MessageChannel();   // its message comes after this frame's style, layout and paint
        channel.port1.onmessage = () => { wait.end = performance.now(); };
        channel.port2.postMessage(null);
      });
    }

    // An explorer touches its SVGs only where they differ, so that reading them would only cost time.
    isNew() {
      const image = this.pictures.querySelector("img");
      return image ? image.complete && image.src !== this.before : !!this.pictures.querySelector("svg");
    }

    content() {
      const images = [...this.pictures.querySelectorAll("img")];
      if (images.length) return images.every((image) => image.complete) ? images.map((image) => image.src).join() : this.last;
      return [...this.pictures.querySelectorAll("svg")].map((svg) => svg.outerHTML).join();
    }

    // Count from now on: the slider's changes (`changes`), the frames that found another value (`stood`; of two changes in one
    // frame nobody can see the first), the frames that found another picture (`shown`), and the heights of the output.
    record() {
      Object.assign(this, { changes: 0, stood: 0, shown: 0, turned: false, dirty: false, last: this.content(), wait: null });
      this.heights = [this.area.getBoundingClientRect().height];
      const frame = () => {
        if (!this.heights) return;
        this.stood += this.turned;
        this.turned = false;
        if (this.dirty) this.compare();
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }

    compare() {
      this.dirty = false;
      const content = this.content();
      if (content && content !== this.last) this.shown += 1;
      this.last = content || this.last;
    }

    stop() {
      const { changes, stood, shown, heights } = this;
      this.heights = null;
      return { changes, stood, shown, jump: Math.max(...heights) - Math.min(...heights) };
    }
  }

  return { watch: () => { window.bench.seen = new Watch(); } };
})();
