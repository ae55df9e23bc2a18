"""What every page promises."""
from browser import layout


class Pages:
    def assert_fits(self, page, widths=(360, 1280)):
        for width in widths:
            for dark in (False, True):
                window, content, beyond = layout(page, width, dark)
                self.assertEqual(window, width)
                self.assertLessEqual(content, width)
                self.assertEqual(beyond, 0, f"{page} at {width}")

    def assert_stands_alone(self, text):
        self.assertNotRegex(text, r"(?i)<script|<link|<img|@import|url\(|https?://")
        self.assertNotIn("{{", text)
