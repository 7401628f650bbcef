"""A Scrapy pipeline that archives every page as it is crawled: `pressmark add -` reads the lines."""

import json
import subprocess


class PressmarkPipeline:
    def open_spider(self, spider):
        command = json.loads(spider.settings["PRESSMARK_COMMAND"])
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, encoding="utf-8")

    def process_item(self, item, spider):
        self.process.stdin.write(json.dumps(dict(item), ensure_ascii=False) + "\n")
        self.process.stdin.flush()
        return item

    def close_spider(self, spider):
        self.process.stdin.close()
        self.process.wait()
