"""Pages as a browser (Debian's Chromium) lays them out."""
import pathlib
import re
import shutil
import subprocess
import tempfile

# In a frame: a browser's own window is never narrower than 500 pixels.
FRAME = """<!DOCTYPE html><meta charset="utf-8"><style>:root { color-scheme: light dark } body { margin: 0 }</style>
<iframe src="page.html" style="border: 0; width: WIDTHpx; height: 900px"></iframe>
<script>addEventListener('load', () => {
  const frame = document.querySelector('iframe'), page = frame.contentDocument, width = frame.contentWindow.innerWidth;
  const beyond = [...page.querySelectorAll('body *')].filter(each => each.getBoundingClientRect().right > width + 0.5);
  document.body.textContent = ['layout', width, page.documentElement.scrollWidth, beyond.length].join(' ');
});</script>"""


def layout(page, width, dark=False):
    """(width of the window, width of the page's content, elements that reach beyond the window) of a file."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(page, pathlib.Path(folder) / "page.html")
        frame = pathlib.Path(folder) / "frame.html"
        frame.write_text(FRAME.replace("WIDTH", str(width)))
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--allow-file-access-from-files", f"--user-data-dir={folder}/profile", "--window-size=1600,1000",
                   "--dump-dom"]
        if dark:
            command.append("--blink-settings=preferredColorScheme=0")
        done = subprocess.run([*command, frame.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    return tuple(map(int, re.search(r"layout (\d+) (\d+) (\d+)", done.stdout).groups()))
